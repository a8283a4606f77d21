"""ONNX and TFLite files, read without running them and without the packages that write them."""
