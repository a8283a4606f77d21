"""Ways to write a model: one file a format."""
