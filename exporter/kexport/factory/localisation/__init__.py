"""Finding the layer at which an artifact parts from the model."""
