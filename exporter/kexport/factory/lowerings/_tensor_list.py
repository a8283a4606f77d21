"""Lists of tensors as one tensor each, for converters that have no lists.

A list of n items of shape s is one tensor of shape (n, *s): reading item i is a gather, writing it updates a slice.
As in TensorFlow, items that were never written are zeros. All items of a list must have one shape: the runtime stops
at the first that differs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kexport.factory.graph.protocols import Operation, Shape, Size, Tensor
from kexport.factory.graph.tensor_lists import Reserved, zeros
from kexport.factory.lowerings._rule import UnsupportedError

Update = Callable[[Tensor, Tensor, Tensor], Tensor]
Listed = Tensor | Reserved

OPS = (
    "TensorListReserve",
    "TensorListFromTensor",
    "TensorListStack",
    "TensorListSetItem",
    "TensorListGetItem",
    "TensorListLength",
    "TensorListGather",
)


def emitting(update: Update) -> Callable[[Operation, Sequence[Any]], Sequence[Listed]]:
    """The `emit` of a lowering of these operations; `update(items, index, item)` gives the items with one replaced."""

    def emit(op: Operation, inputs: Sequence[Any]) -> Sequence[Listed]:
        import tensorflow as tf

        if op.type == "TensorListReserve":
            return [_reserve(op, *inputs)]
        items, *rest = inputs
        if op.type == "TensorListSetItem":
            index, item = rest[:2]
            items = items.dense(_sizes(item)) if isinstance(items, Reserved) else items
            return [update(_grown(op, items, index, item), index, item)]
        if isinstance(items, Reserved):
            raise UnsupportedError("a list of tensors is used before the shape of its items is known")
        if op.type in ("TensorListGetItem", "TensorListGather"):
            return [tf.gather(items, rest[0])]
        return [tf.shape(items)[0] if op.type == "TensorListLength" else items]

    return emit


def _reserve(op: Operation, item_shape: Tensor, count: Tensor) -> Listed:
    import tensorflow as tf

    dtype = tf.as_dtype(op.get_attr("element_dtype"))
    shape = _static_shape(item_shape)
    if shape is None or not shape.is_fully_defined():
        return Reserved(count, dtype)
    return zeros(count, shape.as_list(), dtype)


def _static_shape(item_shape: Tensor) -> Shape | None:
    """The shape of an item, as far as it is known."""
    from tensorflow.python.framework import tensor_util

    return tensor_util.constant_value_as_shape(item_shape) if item_shape.shape.rank == 1 else None


def _grown(op: Operation, items: Tensor, index: Tensor, item: Tensor) -> Tensor:
    """The items, and zeros up to this index where the list grows when it is written to beyond its end."""
    import tensorflow as tf

    if not op.get_attr("resize_if_index_out_of_bounds"):
        return items
    missing = tf.maximum(index + 1 - tf.shape(items)[0], 0)
    return tf.concat([items, zeros(missing, _sizes(item), items.dtype)], 0)


def _sizes(item: Tensor) -> list[Size]:
    import tensorflow as tf

    dynamic = tf.shape(item)
    return [dynamic[axis] if size is None else size for axis, size in enumerate(item.shape.as_list())]
