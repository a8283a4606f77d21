"""Logarithms for ONNX in every float type; tf2onnx computes that of float64 in float32, and does not map `log1p`.

log1p(x) is relatively accurate near 0: with s = x / (2 + x), log(1 + x) = 2 atanh(s), which is taken where |x| < 1/2;
elsewhere 1 + x loses nothing that matters. onnxruntime has no atanh of float64, for which log(u) x / (u - 1) is taken,
with u = 1 + x rounded.
Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 4.1.27 and 4.6.22; Higham, Accuracy and Stability of
Numerical Algorithms, 1.14.1.
"""

from __future__ import annotations

from kexport.factory.graph.protocols import Tensor
from kexport.factory.onnx_nodes import onnx_node


def log(x: Tensor) -> Tensor:
    """The natural logarithm."""
    import tensorflow as tf

    if x.dtype == tf.float64:
        return onnx_node("Log", [x], [(x.dtype, x.shape)])[0]
    return tf.math.log(x)


def log1p(x: Tensor) -> Tensor:
    """`log(1 + x)`."""
    import tensorflow as tf

    if x.dtype == tf.float64:
        u = 1 + x
        exact = tf.abs(x) < 1
        rounded = tf.where(exact & tf.not_equal(u, 1), u - 1, tf.ones_like(x))
        return tf.where(tf.equal(u, 1), x, tf.where(exact, log(u) * x / rounded, log(u)))
    near = 2 * tf.atanh(x / (2 + x))
    return tf.where(tf.abs(x) < 0.5, near, log(1 + x))
