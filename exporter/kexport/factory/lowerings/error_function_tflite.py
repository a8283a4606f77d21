"""The error function and its complement, which TFLite lacks.

With a = |x|, t = 1 / (1 + a/2): erfc(a) = exp(-a^2) t G(t), where G(t) = exp(a^2) erfc(a) / t is smooth and of order 1.
For Erfc the square is split, a^2 = h^2 - (h - a)(h + a) with h the multiple of 1/16 below a, whose square is exact:
the rounding of a^2 would be magnified by the exponential. erfc(-a) = 2 - erfc(a).
Erf is x P(x^2) where a <= 1, else 1 - erfc(a) with the sign of x.
The converter's own pattern makes GELU of x/2 * erfc(-x / sqrt 2): that one stays, unless a Relu behind it becomes part
of the product before.
Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.5 and 7.1.23; Cody, Rational Chebyshev
approximations for the error function, Math. Comp. 23, 1969, for the splitting; P and G as in `_polynomial`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from kexport.bundle.signature import Array
from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._polynomial import fitted, polynomial
from kexport.factory.lowerings._rule import Lowering

_FUSED = ("Relu", "Relu6", "Minimum", "Maximum")
_LAST = 10.5  # where erfc is less than the smallest float32


def _scaled(t: Array) -> Array:
    import numpy as np

    return np.array([math.exp((2 / u - 2) ** 2) * math.erfc(2 / u - 2) / u for u in t])


def _quotient(z: Array) -> Array:
    import numpy as np

    return np.array([math.erf(math.sqrt(square)) / math.sqrt(square) for square in z])


def _erf(x: Tensor) -> Tensor:
    import tensorflow as tf

    a, z = tf.abs(x), x * x
    t = 1.0 / (1.0 + a * 0.5)
    far = 1.0 - tf.exp(-z) * (t * polynomial(t, fitted(_scaled, 0.3, 0.7, 7)))
    near = x * polynomial(z, fitted(_quotient, 0.0, 1.0, 7))
    return tf.where(x < -1.0, -far, tf.where(x > 1.0, far, near))  # no `x < 0`: see `sign_of_flags_tflite`


def _erfc(x: Tensor) -> Tensor:
    import tensorflow as tf

    a = tf.abs(x)
    a = tf.where(a > _LAST, _LAST, a)  # a minimum would lose NaN
    h = tf.floor(a * 16.0) * (1 / 16)
    t = 1.0 / (1.0 + a * 0.5)
    smooth = t * polynomial(t - 0.5, fitted(_shifted, -0.34, 0.5, 11))
    value = tf.exp(-h * h) * tf.exp((h - a) * (h + a)) * smooth
    return tf.where(x > 0.0, value, 2.0 - value)


def _shifted(t: Array) -> Array:
    return _scaled(t + 0.5)


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    return [_erf(inputs[0]) if op.type == "Erf" else _erfc(inputs[0])]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    return inputs[0].dtype.name == "float32" and not (op.type == "Erfc" and _is_gelu(op))


def _is_gelu(op: Operation) -> bool:
    """Whether the operation is within `(x * 0.5) * erfc(-x * sqrt(0.5))`, as `tf.nn.gelu` writes it."""
    scaled = op.inputs[0].op
    if scaled.type != "Mul" or scaled.inputs[0].op.type != "Neg":
        return False
    x = scaled.inputs[0].op.inputs[0]
    users = op.outputs[0].consumers()
    return bool(users) and all(
        user.type == "Mul" and user.inputs[0].op.type == "Mul" and any(x is side for side in user.inputs[0].op.inputs)
        and not any(after.type in _FUSED for after in user.outputs[0].consumers())
        for user in users
    )  # fmt: skip


LOWERING = Lowering("error_function_tflite", ("tflite",), ("Erf", "Erfc"), _emit, _applies)
