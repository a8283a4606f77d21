"""Rounding up, and to the nearest integer with ties to even, by rounding down: reference kernels have nothing else.

ceil(x) = -floor(-x). For the nearest: f = floor(x), d = x - f, and the result is f + 1 where d > 1/2, or d >= 1/2 and f
is odd; there zero keeps the sign of x, which Keras' argmax looks at (XNNPACK's negation loses it, a product does not).
d >= 1/2 is d > 1/2 - 2^-25, the number before 1/2; f/2 - floor(f/2) is 1/2 where f is odd, else 0.
Source: IEEE 754-2019, 4.3.1 (roundTiesToEven) and 5.9.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    (x,) = inputs
    if op.type == "Ceil":
        return [-tf.floor(-x)]
    down = tf.floor(x)
    half = down * 0.5
    odd = half - tf.floor(half)
    up = (-1.0 - down) * -1.0  # down + 1, but that the integer nearest to -0.3 is -0
    return [tf.where(x - down > 0.5 - odd * 2.0**-24, up, down)]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    return bool(inputs[0].dtype.name == "float32")


LOWERING = Lowering("rounding_tflite", ("tflite",), ("Ceil", "Round", "Rint"), _emit, _applies)
