"""The networks learn: losses, one step after the other, and which weights are best."""
