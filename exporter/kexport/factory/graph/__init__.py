"""Reading and rewriting TensorFlow graphs: loops, tensor lists, sizes, interpolation, and the types of all that."""
