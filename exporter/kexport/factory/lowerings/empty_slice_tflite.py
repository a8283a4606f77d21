"""Slices that take nothing, in TFLite: no elements at all, whatever is sliced.

XNNPACK takes a slice from 0 to 0 for one of the whole axis.
Source: https://www.tensorflow.org/api_docs/python/tf/raw_ops/StridedSlice
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    x, shape = inputs[0], op.outputs[0].shape.as_list()
    sizes = tf.shape(x)
    filled = tf.fill(tf.stack([sizes[0] if size is None else size for size in shape]), tf.zeros((), x.dtype))
    filled.set_shape(shape)
    return [filled]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    shape = op.outputs[0].shape
    if shape.rank is None or 0 not in shape.as_list() or inputs[0].dtype.name == "string":
        return False
    unknown = [axis for axis, size in enumerate(shape.as_list()) if size is None]
    return not unknown or (unknown == [0] and _keeps_first(op, inputs))


def _keeps_first(op: Operation, inputs: Sequence[Tensor]) -> bool:
    """Whether all of the first axis of the input is the first axis of the output."""
    import tensorflow as tf

    new, ellipsis, shrink = (op.get_attr(f"{kind}_mask") for kind in ("new_axis", "ellipsis", "shrink_axis"))
    strides = tf.get_static_value(inputs[3])
    whole = op.get_attr("begin_mask") & op.get_attr("end_mask") & 1
    return bool(whole and not (new | ellipsis | shrink) & 1 and strides is not None and strides[0] == 1)


LOWERING = Lowering(
    "empty_slice_tflite",
    ("tflite",),
    ("StridedSlice",),
    _emit,
    _applies,
    before=("known_size_tflite", "strided_slice_tflite"),
)
