"""Slices that begin at a computed place, or are of a computed size, in ONNX: up to where they end.

tf2onnx adds size and begin, and a size of -1, which stands for all that is left, makes another end than the last.
Source: TensorFlow, documentation of tf.slice.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf
    from tensorflow.python.framework import tensor_util

    x, begin, size = inputs
    known = tensor_util.constant_value(size, partial=True)
    known = [None] * x.shape.rank if known is None else list(known)
    ends = begin + size
    if None in known:  # it may be -1
        ends = tf.where(size < 0, tf.shape(x, out_type=size.dtype), ends)
    to_the_last = sum(1 << axis for axis, each in enumerate(known) if each is not None and each < 0)
    y = tf.strided_slice(x, begin, ends, end_mask=to_the_last)
    y.set_shape(op.outputs[0].shape)
    return [y]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    import tensorflow as tf

    computed = any(tf.get_static_value(given) is None for given in inputs[1:])
    return inputs[0].shape.rank is not None and computed


LOWERING = Lowering("slice_onnx", ("onnx",), ("Slice",), _emit, _applies)
