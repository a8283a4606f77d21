"""The tangent, which TFLite lacks; its sine and cosine have an absolute error that a quotient near a pole magnifies.

x = j pi/2 + r with |r| <= pi/4, where pi/2 is taken from x in four parts: the first three have so few bits that
their products with j are exact while |j| < 2^13 (|x| < 12800; the accuracy fades beyond). tan(r) = r + r z Q(z) with
z = r^2, and tan(x) is tan(r) for an even j, -1 / tan(r) for an odd one.
Source: Cody and Waite, Software Manual for the Elementary Functions, chapter 9; Q as in `_polynomial`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from kexport.bundle.signature import Array
from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._polynomial import fitted, polynomial
from kexport.factory.lowerings._rule import Lowering

_QUARTER = math.pi / 2
_FIRST = math.floor(_QUARTER * 2**7) / 2**7
_SECOND = math.floor((_QUARTER - _FIRST) * 2**18) / 2**18
_THIRD = math.floor((_QUARTER - _FIRST - _SECOND) * 2**29) / 2**29
_FOURTH = _QUARTER - _FIRST - _SECOND - _THIRD


def _excess(z: Array) -> Array:
    import numpy as np

    r = np.sqrt(z)
    return (np.tan(r) / r - 1) / z


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    (x,) = inputs
    j = tf.floor(x * (1 / _QUARTER) + 0.5)
    r = (((x - j * _FIRST) - j * _SECOND) - j * _THIRD) - j * _FOURTH
    z = r * r
    tangent = r + r * z * polynomial(z, fitted(_excess, 0.0, (_QUARTER / 2) ** 2, 7))
    odd = j - 2.0 * tf.floor(j * 0.5)
    return [tf.where(odd > 0.5, -1.0 / tangent, tangent)]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    return bool(inputs[0].dtype.name == "float32")


LOWERING = Lowering("tangent_tflite", ("tflite",), ("Tan",), _emit, _applies)
