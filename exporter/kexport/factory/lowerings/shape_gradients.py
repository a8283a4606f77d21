"""What gradients of reductions, slices and concatenations are computed with: sizes put together, and slices put back.

Source: TensorFlow's `DynamicStitch`, `ShapeN`, `ConcatOffset` and `StridedSliceGrad`.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Size, Tensor
from kexport.factory.lowerings._probe import probed
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    if op.type == "ShapeN":
        return [tf.shape(x, out_type=op.outputs[0].dtype) for x in inputs]
    if op.type == "ConcatOffset":
        return _offsets(*inputs)
    return [_stitched(op, inputs) if op.type == "DynamicStitch" else _put_back(op, *inputs)]


def _offsets(axis: Tensor, *shapes: Tensor) -> list[Tensor]:
    """Where each part begins in what it is concatenated into."""
    import tensorflow as tf

    along = tf.cast(tf.equal(tf.range(shapes[0].shape[0]), axis), shapes[0].dtype)
    offsets = [tf.zeros_like(shapes[0])]
    for shape in shapes[:-1]:
        offsets.append(offsets[-1] + shape * along)
    return offsets


def _stitched(op: Operation, inputs: Sequence[Tensor]) -> Tensor:
    """The rows of all data, each at the place that its index tells; the last of those with one index."""
    import tensorflow as tf

    count = op.get_attr("N")
    places = [int(place) for index in probed(op.inputs[:count]) or () for place in index.ravel()]
    last = {place: row for row, place in enumerate(places)}
    rows = [tf.reshape(data, tf.concat([[-1], tf.shape(data)[index.shape.rank :]], 0))
            for index, data in zip(op.inputs[:count], inputs[count:], strict=True)]  # fmt: skip
    return tf.gather(tf.concat(rows, 0), [last.get(place, 0) for place in range(max(places) + 1)])


def _put_back(op: Operation, shape: Tensor, begin: Tensor, end: Tensor, strides: Tensor, g: Tensor) -> Tensor:
    """The gradient at the place that the slice was taken from, and zeros elsewhere."""
    import tensorflow as tf

    starts, _, _ = (tf.get_static_value(each) for each in (begin, end, strides))
    paddings: list[tuple[Size, Size]] = []
    for axis in range(shape.shape[0]):
        size = shape[axis]
        first: Size = 0
        if axis < len(starts) and not op.get_attr("begin_mask") >> axis & 1:
            first = int(starts[axis]) if starts[axis] >= 0 else size + int(starts[axis])
        if op.get_attr("shrink_axis_mask") >> axis & 1:
            g = tf.expand_dims(g, axis)
        paddings.append((first, size - first - tf.shape(g)[axis]))
    return tf.pad(g, tf.stack([tf.stack(pair) for pair in paddings]))


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    import tensorflow as tf

    if op.type == "DynamicStitch":
        count = op.get_attr("N")
        known = all(x.shape.rank is not None for x in op.inputs[:count])
        return known and bool(probed(op.inputs[:count]))
    if op.type == "StridedSliceGrad":
        starts, steps = (tf.get_static_value(inputs[at]) for at in (1, 3))
        plain = not op.get_attr("ellipsis_mask") and not op.get_attr("new_axis_mask")
        known = starts is not None and steps is not None and inputs[0].shape[0] is not None
        return bool(plain and known and (steps == 1).all())
    return op.type == "ShapeN" or all(x.shape[0] is not None for x in inputs[1:])


LOWERING = Lowering(
    "shape_gradients",
    ("onnx", "tflite"),
    ("DynamicStitch", "ShapeN", "ConcatOffset", "StridedSliceGrad"),
    _emit,
    _applies,
    before=("stitch_tflite",),
)
