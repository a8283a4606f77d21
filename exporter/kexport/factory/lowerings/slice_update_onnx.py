"""A slice written into a tensor at a position known only at run time, which tf2onnx does not map.

The start is clamped so that the slice lies within the tensor, as XLA does. Along each axis, every position of the
tensor has a position relative to the slice; an element that lies within it on all axes is taken from the slice.
Source: https://openxla.org/xla/operation_semantics#dynamicupdateslice.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    target, update, starts = inputs
    chosen = None
    for axis in range(target.shape.rank):
        size, length = target.shape[axis], update.shape[axis]
        if size is not None and size == length:
            continue
        size = tf.shape(target, out_type=starts.dtype)[axis] if size is None else size
        length = tf.shape(update, out_type=starts.dtype)[axis] if length is None else length
        start = tf.maximum(tf.minimum(starts[axis], size - length), 0)
        place = tf.range(tf.cast(size, starts.dtype)) - start
        update = tf.gather(update, tf.maximum(tf.minimum(place, length - 1), 0), axis=axis)
        within = (place >= 0) & (place < length)
        within = tf.reshape(within, [-1 if other == axis else 1 for other in range(target.shape.rank)])
        chosen = within if chosen is None else chosen & within
    return [tf.identity(update) if chosen is None else tf.where(chosen, update, target)]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    return inputs[0].shape.rank is not None and inputs[1].shape.rank is not None


LOWERING = Lowering("slice_update_onnx", ("onnx",), ("XlaDynamicUpdateSlice",), _emit, _applies)
