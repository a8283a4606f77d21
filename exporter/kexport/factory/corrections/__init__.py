"""What Keras traces wrongly, or in a shape that no converter understands: one file a correction."""
