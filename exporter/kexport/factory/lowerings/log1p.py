"""`log(1 + x)`, which tf2onnx does not map, relatively accurate near 0.

With s = x / (2 + x), log(1 + x) = 2 atanh(s), which is taken where |x| < 1/2; elsewhere 1 + x loses nothing that
counts. float64, of which onnxruntime has no atanh, takes log(u) x / (u - 1) with u = 1 + x rounded.
Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 4.1.27 and 4.6.22; Higham, Accuracy and Stability of
Numerical Algorithms, 1.14.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kexport.factory.lowerings._log import log
from kexport.factory.lowerings._lowering import Lowering


def _emit(op: Any, inputs: Sequence[Any]) -> Sequence[Any]:
    import tensorflow as tf

    (x,) = inputs
    if x.dtype == tf.float64:
        u = 1 + x
        exact = tf.abs(x) < 1
        rounded = tf.where(exact & tf.not_equal(u, 1), u - 1, tf.ones_like(x))
        return [tf.where(tf.equal(u, 1), x, tf.where(exact, log(u) * x / rounded, log(u)))]
    near = 2 * tf.atanh(x / (2 + x))
    return [tf.where(tf.abs(x) < 0.5, near, log(1 + x))]


LOWERING = Lowering("log1p", ("onnx",), ("Log1p",), _emit)
