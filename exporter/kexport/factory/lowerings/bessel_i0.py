"""The modified Bessel function of order 0, which ONNX and TFLite lack; Kaiser windows are made of it.

Where |x| <= 4, I0(x) = P(x^2), whose coefficients are positive; else exp(a) R(1/a) / sqrt(a), a = |x|, with the
exponential as the square of exp(a / 2), which does not overflow before the result does.
Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 9.6.10, 9.7.1, 9.8.1 and 9.8.2; P and R as in
`_polynomial`, from numpy's `i0`.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.bundle.signature import Array
from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._polynomial import fitted, polynomial
from kexport.factory.lowerings._rule import Lowering


def _near(z: Array) -> Array:
    import numpy as np

    return np.i0(np.sqrt(z))


def _far(t: Array) -> Array:
    import numpy as np

    return np.i0(1 / t) * np.exp(-1 / t) / np.sqrt(t)


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    (x,) = inputs
    a = tf.abs(x)
    t = 1.0 / tf.maximum(a, 1.0)
    root = tf.exp(a * 0.5)
    far = root * (root * (tf.sqrt(t) * polynomial(t, fitted(_far, 0.01, 0.25, 7))))
    return [tf.where(a > 4.0, far, polynomial(x * x, fitted(_near, 0.0, 16.0, 8)))]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    return bool(inputs[0].dtype.name == "float32")


LOWERING = Lowering("bessel_i0", ("onnx", "tflite"), ("BesselI0",), _emit, _applies)
