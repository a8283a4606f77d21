"""The logarithm of the gamma function and its derivative, which ONNX lacks, and TFLite's converter writes wrongly.

Where 1 <= x <= 3, ln gamma(x) = (x - 1) (x - 2) P(x), which keeps its zeros; below 1 it is ln gamma(x + 1) - ln x,
above 3 Stirling's series, of no positive number ln (pi / |sin(pi x)|) - ln gamma(1 - x). The derivative is the
asymptotic series at x + 6 without 1 / (x + i), i < 6; its reflection has pi / tan(pi x).
Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 6.1.15, 6.1.17, 6.1.41, 6.3.6, 6.3.7, 6.3.18; P as in
`_polynomial`, from Python's `math.lgamma`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from kexport.bundle.signature import Array
from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._polynomial import fitted, polynomial
from kexport.factory.lowerings._rule import Lowering

#: Of y^-1, y^-3 and so on in ln gamma(y), and of y^-2, y^-4 and so on in its derivative: from Bernoulli's numbers.
_STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188)
_ASYMPTOTIC = (-1 / 12, 1 / 120, -1 / 252, 1 / 240, -1 / 132)
_SHIFT = 6


def _around_two(v: Array) -> Array:
    """The function ln gamma(2 + v) / (v (v + 1)): without the zeros at 1 and 2."""
    import numpy as np

    return np.array([math.lgamma(2.0 + value) / (value * (value + 1.0)) for value in v])


def _log_gamma(x: Tensor) -> Tensor:
    """Of positive numbers."""
    import tensorflow as tf

    small = x < 1.0
    inside = tf.minimum(tf.where(small, x + 1.0, x), 3.0)
    near = (inside - 1.0) * (inside - 2.0) * polynomial(inside - 2.0, fitted(_around_two, -1.0, 1.0, 13))
    near = tf.where(small, near - tf.math.log(tf.where(small, x, 1.0)), near)
    y = tf.maximum(x, 3.0)
    r = 1.0 / y
    far = (y - 0.5) * (tf.math.log(y) - 1.0) + (0.5 * math.log(2 * math.pi) - 0.5) + r * polynomial(r * r, _STIRLING)
    return tf.where(x > 3.0, far, near)


def _digamma(x: Tensor) -> Tensor:
    """Of positive numbers."""
    import tensorflow as tf

    y = x + _SHIFT
    r = 1.0 / y
    series = tf.math.log(y) - 0.5 * r + r * r * polynomial(r * r, _ASYMPTOTIC)
    return series - tf.add_n([1.0 / (x + index) for index in range(_SHIFT)])


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    (x,) = inputs
    positive = x > 0.0
    argument = tf.where(positive, x, 1.0 - x)
    turn = math.pi * (x - tf.floor(x))
    if op.type == "Digamma":
        value = _digamma(argument)
        pole = tf.equal(turn, 0.0)
        slope = math.pi * tf.cos(turn) / tf.where(pole, tf.ones_like(turn), tf.sin(turn))
        return [tf.where(positive, value, tf.where(pole, math.nan, value - slope))]
    value = _log_gamma(argument)
    reflected = math.log(math.pi) - tf.math.log(tf.sin(turn)) - value
    return [tf.where(tf.equal(tf.abs(x), math.inf), math.inf, tf.where(positive, value, reflected))]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    return bool(inputs[0].dtype.name == "float32")


LOWERING = Lowering("gamma", ("onnx", "tflite"), ("Lgamma", "Digamma"), _emit, _applies)
