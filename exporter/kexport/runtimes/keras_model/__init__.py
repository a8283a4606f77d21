"""Finding the interface of a Keras model: its inputs, outputs and nesting."""
