"""The networks: their configs, the generators by name, the discriminators."""
