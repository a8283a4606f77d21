"""Hyperbolic sine and cosine, which TFLite lacks.

Where |x| <= 1: sinh(x) = x + x z S(z) and cosh(x) = 1 + z C(z), z = x^2. Else with h = exp(|x| / 2)^2 / 2, which does
not overflow before the result does, cosh(x) = h + 1 / (4 h) and sinh(x) = h - 1 / (4 h) with the sign of x.
Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 4.5.1, 4.5.2, 4.5.62 and 4.5.63; S and C as in
`_polynomial`.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.bundle.signature import Array
from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._polynomial import fitted, polynomial
from kexport.factory.lowerings._rule import Lowering


def _sinh_excess(z: Array) -> Array:
    import numpy as np

    x = np.sqrt(z)
    return (np.sinh(x) / x - 1) / z


def _cosh_excess(z: Array) -> Array:
    import numpy as np

    return 2 * (np.sinh(np.sqrt(z) / 2) ** 2) / z


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    (x,) = inputs
    a, z = tf.abs(x), x * x
    root = tf.exp(a * 0.5)
    h = 0.5 * root * root
    if op.type == "Cosh":
        far, near = h + 0.25 / h, 1.0 + z * polynomial(z, fitted(_cosh_excess, 0.0, 1.0, 3))
    else:
        far = h - 0.25 / h
        far, near = tf.where(x < -1.0, -far, far), x + x * z * polynomial(z, fitted(_sinh_excess, 0.0, 1.0, 3))
    return [tf.where(a > 1.0, far, near)]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    return bool(inputs[0].dtype.name == "float32")


LOWERING = Lowering("hyperbolic_tflite", ("tflite",), ("Sinh", "Cosh"), _emit, _applies)
