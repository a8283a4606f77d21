"""One-hot encoding by comparing with 0, 1, 2, ...: ONNX' `OneHot` counts a negative index from the end.

TensorFlow encodes an index out of range, such as -1, as zeros.
Source: TensorFlow's `OneHot`; https://onnx.ai/onnx/operators/onnx__OneHot.html.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    indices, depth, on, off = inputs
    if indices.dtype not in (tf.int32, tf.int64):
        indices = tf.cast(indices, tf.int32)
    axis = op.get_attr("axis") % (indices.shape.rank + 1)
    shape = [-1 if place == axis else 1 for place in range(indices.shape.rank + 1)]
    classes = tf.reshape(tf.range(tf.cast(depth, indices.dtype)), shape)
    hot = tf.equal(tf.expand_dims(indices, axis), classes)
    values = tf.get_static_value(on), tf.get_static_value(off)
    if None not in values and bool(values[0] == 1) and bool(values[1] == 0):
        return [tf.cast(hot, on.dtype)]
    return [tf.where(hot, on, off)]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    return inputs[0].shape.rank is not None


LOWERING = Lowering("one_hot_onnx", ("onnx",), ("OneHot",), _emit, _applies)
