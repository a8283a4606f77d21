"""Inverse hyperbolic functions, which TFLite lacks, by logarithms.

- asinh(x) = sign(x) log1p(a + a^2 / (1 + sqrt(a^2 + 1))), a = |x|
- acosh(x) = log1p(t + sqrt(t) sqrt(t + 2)), t = x - 1; NaN below 1, as the first root is
- atanh(x) = log1p(2a / (1 - a)) / 2 with the sign of x; by its odd series where a <= 1/2

Where a^2 would overflow, asinh(a) and acosh(a) are log(a) + log(2) to the last place.
Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 4.6.20 to 4.6.22; Kahan, Branch Cuts for Complex
Elementary Functions, 1987, for the forms without cancellation.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._log1p import atanh_near_zero, log1p
from kexport.factory.lowerings._rule import Lowering

_LEAST = 2.0**-126  # of numbers below 0 that kernels tell from it; for `x < 0` see `sign_of_flags_tflite`
_LARGE = 1e9  # 1 is below half a unit in the last place of its square


def _asinh(x: Tensor) -> Tensor:
    import tensorflow as tf

    a = tf.abs(x)
    small = log1p(a + a * a / (1.0 + tf.sqrt(a * a + 1.0)))
    return tf.where(x <= -_LEAST, -1.0, 1.0) * tf.where(a > _LARGE, tf.math.log(a) + math.log(2), small)


def _acosh(x: Tensor) -> Tensor:
    import tensorflow as tf

    t = x - 1.0
    return tf.where(x > _LARGE, tf.math.log(x) + math.log(2), log1p(t + tf.sqrt(t) * tf.sqrt(t + 2.0)))


def _atanh(x: Tensor) -> Tensor:
    import tensorflow as tf

    a = tf.abs(x)
    far = 0.5 * tf.math.log((1.0 + a) / (1.0 - a))
    result = tf.where(a > 0.5, tf.where(x < -0.5, -far, far), atanh_near_zero(x))
    # Reference kernels clamp the quotient by zero to the largest number.
    return tf.where(tf.equal(x, 1.0), math.inf, tf.where(tf.equal(x, -1.0), -math.inf, result))


_FUNCTIONS = {"Asinh": _asinh, "Acosh": _acosh, "Atanh": _atanh}


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    return [_FUNCTIONS[op.type](inputs[0])]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    return bool(inputs[0].dtype.name == "float32")


LOWERING = Lowering("inverse_hyperbolic_tflite", ("tflite",), tuple(_FUNCTIONS), _emit, _applies)
