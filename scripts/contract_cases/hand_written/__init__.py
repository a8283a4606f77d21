"""The smallest graph of each layer's mathematics, written by hand, one file a layer."""
