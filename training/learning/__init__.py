"""How the networks learn: losses, one step after another, and which weights are best."""
