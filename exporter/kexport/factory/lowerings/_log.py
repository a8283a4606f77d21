"""The logarithm for ONNX in every float type; tf2onnx computes that of float64 in float32."""

from __future__ import annotations

from typing import Any

from kexport.factory.lowerings._onnx_node import onnx_node


def log(x: Any) -> Any:
    """The natural logarithm."""
    import tensorflow as tf

    if x.dtype == tf.float64:
        return onnx_node("Log", [x], [(x.dtype, x.shape)])[0]
    return tf.math.log(x)
