"""The modified Bessel functions of order 0 and 1, scaled or not, which ONNX and TFLite lack; Kaiser windows have I0.

Where |x| <= 4, I0(x) = P(x^2) and I1(x) = x Q(x^2), whose coefficients are positive; else exp(a) R(1/a) / sqrt(a),
a = |x|, with the exponential as the square of exp(a / 2), which does not overflow before the result does. The scaled
functions are without that exponential.
Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 9.6.10, 9.7.1, 9.8.1 to 9.8.4; P, Q and R as in
`_polynomial`, from the ascending series.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial

from kexport.bundle.signature import Array
from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._polynomial import fitted, polynomial
from kexport.factory.lowerings._rule import Lowering

_TERMS = 300  # of the series at 100, where the last is below 1e-100 of the sum


def _series(z: Array, order: int) -> Array:
    """I_order(x) / x^order at z = x^2; all terms are positive."""
    import numpy as np

    term = np.full_like(z, 1.0 / 2**order)
    total = term.copy()
    for index in range(1, _TERMS):
        term = term * (z / 4) / (index * (index + order))
        total += term
    return total


def _tail(t: Array, order: int) -> Array:
    """I_order(x) exp(-x) sqrt(x) at t = 1 / x."""
    import numpy as np

    return _series(1 / t**2, order) * np.exp(-1 / t) / np.sqrt(t) / t**order


@cache
def _near(order: int) -> Callable[[Array], Array]:
    return partial(_series, order=order)


@cache
def _far(order: int) -> Callable[[Array], Array]:
    return partial(_tail, order=order)


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    (x,) = inputs
    order, scaled = int(op.type[7]), op.type.endswith("e")
    a = tf.abs(x)
    t = 1.0 / tf.maximum(a, 1.0)
    near = polynomial(x * x, fitted(_near(order), 0.0, 16.0, 8))
    far = tf.sqrt(t) * polynomial(t, fitted(_far(order), 0.01, 0.25, 7))
    if scaled:
        near = near * tf.exp(-a)
    else:
        root = tf.exp(a * 0.5)
        far = root * (root * far)
    if order:
        near, far = near * x, tf.where(x < 0.0, -far, far)
    return [tf.where(a > 4.0, far, near)]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    return bool(inputs[0].dtype.name == "float32")


LOWERING = Lowering("bessel_i", ("onnx", "tflite"), ("BesselI0", "BesselI0e", "BesselI1", "BesselI1e"), _emit, _applies)
