"""`exp(x) - 1` without cancellation, which TFLite's converter writes as just that difference.

Where |x| <= 1/2 the result is `x + x^2 P(x)`, else the difference, whose subtraction then loses no more than a bit.
P stands for (exp(x) - 1 - x) / x^2. NaN takes the first way: XNNPACK's exp(NaN) is 0.
Source: Higham, Accuracy and Stability of Numerical Algorithms, 1.14.1; the polynomial as in `_polynomial`.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.bundle.signature import Array
from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._polynomial import fitted, polynomial
from kexport.factory.lowerings._rule import Lowering

_HALF = 0.5


def _remainder(x: Array) -> Array:
    import numpy as np

    return (np.expm1(x) - x) / x**2


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    (x,) = inputs
    near = x + x * x * polynomial(x, fitted(_remainder, -_HALF, _HALF, 5))
    return [tf.where(tf.abs(x) > _HALF, tf.exp(x) - 1.0, near)]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    return bool(inputs[0].dtype.name == "float32")


LOWERING = Lowering("expm1_tflite", ("tflite",), ("Expm1",), _emit, _applies)
