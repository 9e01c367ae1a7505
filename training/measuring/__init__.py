"""What a pencil is worth, as functions of pictures."""
