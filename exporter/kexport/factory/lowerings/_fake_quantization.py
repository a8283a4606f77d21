"""Fake quantization, as quantization-aware training leaves it, in the float arithmetic of TensorFlow's kernel.

The range is moved so that 0 is one of the 2^bits levels; x is clamped to it, and rounded half up to a level. A range
of [0, 0] gives 0.
Source: tensorflow/core/kernels/fake_quant_ops_functor.h (Nudge, FakeQuantWithMinMaxVarsFunctor).
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor


def quantized(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    """The levels that an operation of fake quantization gives, in float32."""
    import tensorflow as tf

    x, *limits = inputs
    low, high = limits or [tf.constant(op.get_attr(name), tf.float32) for name in ("min", "max")]
    least, most = float(op.get_attr("narrow_range")), 2.0 ** op.get_attr("num_bits") - 1
    empty = tf.logical_and(tf.equal(low, 0.0), tf.equal(high, 0.0))
    scale = tf.where(empty, tf.ones_like(low), (high - low) / (most - least))
    zero = tf.floor(tf.minimum(tf.maximum(least - low / scale, least), most) + 0.5)
    bottom, top = (least - zero) * scale, (most - zero) * scale
    inverse = 1.0 / scale
    level_of_zero = tf.floor(-bottom * inverse + 0.5)
    clamped = tf.maximum(tf.minimum(x, top), bottom)
    levels = tf.floor((clamped - bottom) * inverse - level_of_zero + 0.5)
    return [tf.where(empty, tf.zeros_like(x), levels * scale)]
