"""What a run trains on: pairs, found, planned and kept as stacks or shards, and crops of them without end."""
