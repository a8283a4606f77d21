"""The bits of floats as integers, and back, by arithmetic: ONNX has no operation for it that runtimes of today know.

A number is (1 + m / 2^23) 2^(e - 127): halving and doubling by powers of two, all exact, brings it between 1 and 2.
Back, the powers are a table. Infinities and NaN have e = 255, numbers below 2^-126 e = 0; NaN has the usual bits.
Source: IEEE 754-2019, 3.4.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering

_FRACTION, _BIAS = 23, 127
_STEPS = (64, 32, 16, 8, 4, 2, 1)
_INFINITE, _NAN = 0x7F800000, 0x7FC00000
_LOWEST = -(2**31)


def _bits(x: Tensor) -> Tensor:
    """The int32 with the bits of a float32."""
    import tensorflow as tf

    size = tf.abs(x)
    finite = tf.logical_and(size < float("inf"), size >= 2.0**-126)
    unit, power = tf.where(finite, size, tf.ones_like(size)), tf.zeros_like(x)
    for step in _STEPS:
        large = unit >= 2.0**step
        unit = tf.where(large, unit * 2.0**-step, unit)
        power = tf.where(large, power + step, power)
    for step in _STEPS:
        small = unit < 2.0 ** (1 - step)
        unit = tf.where(small, unit * 2.0**step, unit)
        power = tf.where(small, power - step, power)
    fraction = tf.cast((unit - 1.0) * 2.0**_FRACTION, tf.int32)
    exponent = tf.cast(power, tf.int32) + _BIAS
    small = tf.where(size < 2.0**-126, size * 2.0**126, tf.zeros_like(size))
    tiny = tf.cast(small * 2.0**_FRACTION, tf.int32)
    special = tf.where(tf.equal(size, float("inf")), _INFINITE, tf.where(size < 1.0, tiny, _NAN))
    bits = tf.where(finite, exponent * 2**_FRACTION + fraction, special)
    negative = tf.logical_or(x < 0.0, 1.0 / x < 0.0)
    return tf.where(negative, bits + _LOWEST, bits)


def _number(bits: Tensor) -> Tensor:
    """The float32 with the bits of an int32."""
    import numpy as np
    import tensorflow as tf

    negative = bits < 0
    rest = tf.where(negative, bits - _LOWEST, bits)
    exponent = rest // 2**_FRACTION
    fraction = tf.cast(rest - exponent * 2**_FRACTION, tf.float32)
    powers = tf.constant(2.0 ** np.clip(np.arange(256) - _BIAS, -126, 127), tf.float32)
    scale = tf.gather(powers, exponent)
    whole = tf.where(exponent > 0, tf.ones_like(scale), tf.zeros_like(scale))
    size = (whole + fraction * 2.0**-_FRACTION) * scale
    endless = tf.where(tf.equal(fraction, 0.0), float("inf"), float("nan"))
    size = tf.where(tf.equal(exponent, 255), endless, size)
    return size * tf.where(negative, -1.0, 1.0)


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    (x,) = inputs
    return [_bits(x) if x.dtype.name == "float32" else _number(x)]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    return {inputs[0].dtype.name, op.outputs[0].dtype.name} == {"float32", "int32"}


LOWERING = Lowering("bitcast_onnx", ("onnx",), ("Bitcast",), _emit, _applies)
