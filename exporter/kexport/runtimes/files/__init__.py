"""Reading ONNX and TFLite files without running them."""
