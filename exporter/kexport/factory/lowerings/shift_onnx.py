"""Shifts of integers by ONNX' shift of unsigned ones, all as 64 bits.

To the left, the bits that remain are the same for both. To the right, a negative x is shifted as its complement
-1 - x, which is not negative: x >> n = -1 - ((-1 - x) >> n). Counts end at the width less one, as in TensorFlow.
Source: Warren, Hacker's Delight, 2-7; TensorFlow's `LeftShift` and `RightShift`.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering
from kexport.factory.onnx_nodes import onnx_node


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    x, count = inputs
    dtype = x.dtype
    count = tf.clip_by_value(tf.cast(count, tf.int64), 0, dtype.size * 8 - 1)
    if dtype.is_unsigned:
        return [tf.cast(_shifted(op, tf.cast(x, tf.uint64), count), dtype)]
    wide = tf.cast(x, tf.int64)
    if op.type == "LeftShift":
        return [tf.cast(_shifted(op, tf.cast(wide, tf.uint64), count), dtype)]
    magnitude = tf.cast(_shifted(op, tf.cast(tf.maximum(wide, -1 - wide), tf.uint64), count), tf.int64)
    return [tf.cast(tf.where(wide < 0, -1 - magnitude, magnitude), dtype)]


def _shifted(op: Operation, x: Tensor, count: Tensor) -> Tensor:
    import tensorflow as tf

    direction = "LEFT" if op.type == "LeftShift" else "RIGHT"
    shape = tf.broadcast_static_shape(x.shape, count.shape)
    return onnx_node("BitShift", [x, tf.cast(count, tf.uint64)], [(tf.uint64, shape)], {"direction": direction})[0]


LOWERING = Lowering("shift_onnx", ("onnx",), ("LeftShift", "RightShift"), _emit)
