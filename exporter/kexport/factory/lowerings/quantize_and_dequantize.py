"""Quantization and dequantization in one operation, in the float arithmetic of TensorFlow's kernel.

The converters make integers of it, of another range, or of other than the asked bits, and round ties otherwise. The
side of the range whose scale is smaller decides; levels are rounded half to even, or half up.
Source: tensorflow/core/kernels/quantize_and_dequantize_op.h (ComputeQuantizationRange, ClampScaleAndRound); its
documentation, tf.quantization.quantize_and_dequantize_v2.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering

_OPS = ("QuantizeAndDequantizeV2", "QuantizeAndDequantizeV3", "QuantizeAndDequantizeV4")


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    x, given = inputs[0], op.get_attr("range_given")
    others = [other for other in range(x.shape.rank) if other != op.get_attr("axis")]
    if given:
        low, high = inputs[1:3]
    else:
        low, high = (reduce(x, others, keepdims=True) for reduce in (tf.reduce_min, tf.reduce_max))
    least, most = _levels(op, inputs)
    unlimited = tf.constant(x.dtype.max, x.dtype)
    below, above = least * low > 0.0, most * high > 0.0
    one = tf.ones_like(low)
    from_low = tf.where(below, least / tf.where(below, low, one), unlimited)
    from_high = tf.where(above, most / tf.where(above, high, one), unlimited)
    by_low = from_low < from_high
    scale = tf.where(by_low, from_low, from_high)
    step = tf.where(by_low, low / (least or 1.0), high / most)
    if given:
        low, high = tf.where(by_low, low, least * step), tf.where(by_low, most * step, high)
        x = tf.maximum(tf.minimum(x, high), low)
    scaled = x * scale
    up = op.type != "QuantizeAndDequantizeV3" and op.get_attr("round_mode") == b"HALF_UP"
    return [(tf.floor(scaled + 0.5) if up else _nearest(scaled)) * step]


def _levels(op: Operation, inputs: Sequence[Tensor]) -> tuple[float, float]:
    """The smallest and the largest level."""
    import tensorflow as tf

    bits = int(tf.get_static_value(inputs[3]) if op.type == "QuantizeAndDequantizeV3" else op.get_attr("num_bits"))
    if not op.get_attr("signed_input"):
        return 0.0, 2.0**bits - 1
    return float(op.get_attr("narrow_range")) - 2.0 ** (bits - 1), 2.0 ** (bits - 1) - 1


def _nearest(x: Tensor) -> Tensor:
    """The nearest integer, of two the even one, by rounding down: reference kernels have nothing else."""
    import tensorflow as tf

    down = tf.floor(x)
    apart, half = x - down, down * 0.5
    odd = half > tf.floor(half)
    return tf.where(tf.logical_or(apart > 0.5, tf.logical_and(tf.equal(apart, 0.5), odd)), down + 1.0, down)


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    import tensorflow as tf

    known = op.type != "QuantizeAndDequantizeV3" or tf.get_static_value(inputs[3]) is not None
    return known and inputs[0].dtype.name == "float32" and inputs[0].shape.rank is not None


LOWERING = Lowering("quantize_and_dequantize", ("onnx", "tflite"), _OPS, _emit, _applies)
