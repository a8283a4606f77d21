"""Reading and rewriting TensorFlow graphs: loops, tensor lists, sizes, interpolation."""
