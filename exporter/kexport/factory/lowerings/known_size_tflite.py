"""Sizes that TensorFlow does not infer, but which are known: the axis that a reshape infers, and one size of a shape.

A reshape to (b, 4, -1) of a tensor (b, 4, 5) has 5 there whatever b is: what both sides share cancels. Keras' quantiles
compute places from such a size in float64, which TFLite does not: from a number they are numbers.
Source: TensorFlow's `Reshape`: the sizes of both sides have one product.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.graph.shape_vectors import Size, sizes_in, sizes_of
from kexport.factory.lowerings._rule import Lowering


def _inferred(x: Tensor, target: Tensor) -> list[Size] | None:
    """The sizes after a reshape, the inferred one among them."""
    wanted = sizes_in(target)
    if wanted is None or wanted.count(-1) != 1 or x.shape.rank is None:
        return None
    given = sizes_of(x)
    left, right = (Counter(size for size in side if isinstance(size, tuple)) for side in (given, wanted))
    total, rest = (math.prod(size for size in side if isinstance(size, int) and size != -1) for side in (given, wanted))
    if left != right or not rest or total % rest:
        return None
    return [total // rest if size == -1 else size for size in wanted]


def _size(op: Operation, inputs: Sequence[Tensor]) -> int | None:
    """The element that a slice takes out of a shape."""
    import tensorflow as tf

    at, source = tf.get_static_value(inputs[1]), inputs[0].op
    if source.type != "Shape" or op.get_attr("shrink_axis_mask") != 1 or at is None or len(at) != 1:
        return None
    shape = source.inputs[0].shape
    return None if shape.rank is None else shape.as_list()[int(at[0])]


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    if op.type == "StridedSlice":
        return [tf.constant(_size(op, inputs), inputs[0].dtype)]
    result = tf.reshape(*inputs)
    sizes = _inferred(*inputs) or []
    result.set_shape([size if isinstance(size, int) else None for size in sizes])
    return [result]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    if op.type == "StridedSlice":
        return _size(op, inputs) is not None
    return op.outputs[0].shape.num_elements() is None and _inferred(*inputs) is not None


LOWERING = Lowering(
    "known_size_tflite",
    ("tflite",),
    ("Reshape", "StridedSlice"),
    _emit,
    _applies,
    before=("strided_slice_tflite", "reshape_tflite"),
)
