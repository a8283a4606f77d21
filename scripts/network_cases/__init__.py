"""Random networks of Keras' own layers, drawn from a seed, and what kexport says of each."""
