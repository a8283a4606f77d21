"""From a Keras model to one traced program with named inputs, outputs and state."""
