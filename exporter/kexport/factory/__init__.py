"""From a Keras model to a bundle. Everything here may import TensorFlow; nothing outside of it depends on it."""
