"""Slices that take nothing, in TFLite: no elements at all, whatever is sliced.

XNNPACK takes a slice from 0 to 0 for one of the whole axis. TensorFlow infers no size of an axis whose length it does
not know, so what is taken is read off the bounds.
Source: https://www.tensorflow.org/api_docs/python/tf/raw_ops/StridedSlice
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kexport.factory.graph.protocols import Operation, Size, Tensor
from kexport.factory.lowerings._rule import Lowering
from kexport.factory.lowerings._slice_axes import SliceAxis, written_out


@dataclass(frozen=True)
class _Cut:
    """What is taken of an axis: the bounds that are known, None for those that are not, and for open ones."""

    axis: SliceAxis
    size: int | None
    begin: int | None
    end: int | None
    stride: int | None

    @property
    def whole(self) -> bool:
        """Whether all of it is taken."""
        return self.axis.at is None or (self.axis.begin_open and self.axis.end_open and self.stride == 1)

    def taken(self) -> int | None:
        """How many elements are taken; None where that depends on what is not known."""
        begin_known = self.axis.begin_open or self.begin is not None
        end_known = self.axis.end_open or self.end is not None
        if self.whole:
            return self.size
        if self.stride is None or not begin_known or not end_known:
            return None
        if self.size is not None:
            return len(range(self.size)[self.begin : self.end : self.stride])
        return 0 if self._empty_at_any_size(self.stride) else None

    def _empty_at_any_size(self, stride: int) -> bool:
        """Whether nothing is taken of an axis of whatever size."""
        if stride > 0 and self.end == 0:
            return True
        if self.begin is None or self.end is None or (self.begin < 0) != (self.end < 0):
            return False
        return self.end <= self.begin if stride > 0 else self.end >= self.begin


def _cuts(op: Operation, inputs: Sequence[Tensor]) -> tuple[list[_Cut], list[int]]:
    """What is taken of each axis, and the positions of new axes in the output."""
    import tensorflow as tf

    x, *bounds = inputs
    axes, added = written_out(op, x.shape.rank, bounds[0].shape[0])
    axes += [SliceAxis(None)] * (x.shape.rank - len(axes))
    known = [tf.get_static_value(bound, partial=True) for bound in bounds]

    def bound(values: Sequence[int | None] | None, axis: SliceAxis, is_open: bool) -> int | None:
        value = None if values is None or axis.at is None or is_open else values[axis.at]
        return None if value is None else int(value)

    return [
        _Cut(
            axis,
            size,
            bound(known[0], axis, axis.begin_open),
            bound(known[1], axis, axis.end_open),
            bound(known[2], axis, is_open=False),
        )
        for axis, size in zip(axes, x.shape.as_list(), strict=True)
    ], added


def _taken(cut: _Cut, size: Tensor, bounds: Sequence[Tensor]) -> Size:
    """How many elements are taken of an axis of this size."""
    import tensorflow as tf

    count = cut.taken()
    if count is not None:
        return count
    if cut.whole:
        return size
    places = (bound[cut.axis.at][None] for bound in bounds)
    masks = {"begin_mask": int(cut.axis.begin_open), "end_mask": int(cut.axis.end_open)}
    return tf.size(tf.strided_slice(tf.range(size), *places, **masks))


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    x, *bounds = inputs
    cuts, added = _cuts(op, inputs)
    sizes = tf.shape(x)
    bounds = [tf.cast(bound, tf.int32) for bound in bounds]
    shape = [_taken(cut, sizes[place], bounds) for place, cut in enumerate(cuts) if not cut.axis.shrinks]
    for position in added:
        shape.insert(position, 1)
    filled = tf.fill(tf.stack(shape), tf.zeros((), x.dtype))
    filled.set_shape([size if isinstance(size, int) else None for size in shape])
    return [filled]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    x, begin = inputs[0], inputs[1]
    if x.shape.rank is None or begin.shape[0] is None or x.dtype.name == "string":
        return False
    return any(cut.taken() == 0 for cut in _cuts(op, inputs)[0] if not cut.axis.shrinks)


LOWERING = Lowering(
    "empty_slice_tflite",
    ("tflite",),
    ("StridedSlice",),
    _emit,
    _applies,
    before=("known_size_tflite", "strided_slice_tflite"),
)
