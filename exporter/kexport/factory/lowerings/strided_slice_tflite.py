"""Slices with an ellipsis or a new axis, in TFLite: all axes written out, new ones added afterwards.

The operator's version that has an ellipsis is missing from the reference kernels, and a new axis does not convert
where several sizes are unknown.
Source: https://www.tensorflow.org/api_docs/python/tf/raw_ops/StridedSlice
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kexport.factory.graph.protocols import Operation, Size, Tensor
from kexport.factory.lowerings._rule import Lowering
from kexport.factory.lowerings._slice_axes import SliceAxis, written_out


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    x, *bounds = inputs
    axes, added = written_out(op, x.shape.rank, bounds[0].shape[0])
    if any(axis.at is not None for axis in axes):
        begin, end, stride = (_picked(bound, axes, fill) for bound, fill in zip(bounds, (0, 0, 1), strict=True))
        x = tf.strided_slice(
            x,
            begin,
            end,
            stride,
            begin_mask=_mask(axis.begin_open for axis in axes),
            end_mask=_mask(axis.end_open for axis in axes),
            shrink_axis_mask=_mask(axis.shrinks for axis in axes),
        )
    for position in added:
        x = tf.expand_dims(x, position)
    return [x]


def _picked(bound: Tensor, axes: Sequence[SliceAxis], fill: int) -> Tensor | list[Size]:
    """The bounds of the axes, a constant where all of them are known."""
    import tensorflow as tf

    static = tf.get_static_value(bound, partial=True)
    parts = [fill if axis.at is None else bound[axis.at] if static is None else static[axis.at] for axis in axes]
    parts = [bound[axis.at] if part is None else part for axis, part in zip(axes, parts, strict=True)]
    return tf.stack([tf.cast(part, bound.dtype) for part in parts]) if any(map(tf.is_tensor, parts)) else parts


def _mask(flags: Iterable[bool]) -> int:
    return sum(1 << axis for axis, flag in enumerate(flags) if flag)


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    x, begin = inputs[0], inputs[1]
    asked = op.get_attr("ellipsis_mask") or op.get_attr("new_axis_mask")
    return bool(asked) and x.shape.rank is not None and begin.shape[0] is not None


LOWERING = Lowering("strided_slice_tflite", ("tflite",), ("StridedSlice",), _emit, _applies)
