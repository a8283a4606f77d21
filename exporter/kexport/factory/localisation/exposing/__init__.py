"""Ways to make the tensors inside of an artifact its outputs: one file a format."""
