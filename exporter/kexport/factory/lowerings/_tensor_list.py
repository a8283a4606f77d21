"""Lists of tensors as one tensor each, for converters that have no lists.

A list of n items of shape s is one tensor of shape (n, *s): reading item i is a gather, writing it updates a slice.
As in TensorFlow, items that were never written are zeros. All items of a list must have one shape: the runtime stops
at the first that differs. Gradients of loops push to lists, pop from them, and add them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from kexport.factory.graph.protocols import Operation, Size, Tensor
from kexport.factory.graph.tensor_lists import Reserved, zeros
from kexport.factory.lowerings._rule import Missing, UnsupportedError

Update = Callable[[Tensor, Tensor, Tensor], Tensor]
Listed = Tensor | Reserved | Missing

_LISTS = ("AddN", "ZerosLike")  # which are for tensors, too
OPS = (
    "EmptyTensorList",
    "TensorListReserve",
    "TensorListFromTensor",
    "TensorListStack",
    "TensorListConcatV2",
    "TensorListSetItem",
    "TensorListPushBack",
    "TensorListPopBack",
    "TensorListScatterIntoExistingList",
    "TensorListGetItem",
    "TensorListLength",
    "TensorListElementShape",
    "TensorListGather",
    *_LISTS,
)


def applies(op: Operation, inputs: Sequence[Any]) -> bool:
    """Whether an operation is on lists."""
    return op.type not in _LISTS or op.outputs[0].dtype.name == "variant"


def emitting(update: Update) -> Callable[[Operation, Sequence[Any]], Sequence[Listed]]:
    """The `emit` of a lowering of these operations; `update(items, index, item)` gives the items with one replaced."""

    def emit(op: Operation, inputs: Sequence[Any]) -> Sequence[Listed]:
        if op.type in ("TensorListReserve", "EmptyTensorList"):
            return [_reserve(op, *inputs)]
        if op.type == "AddN":
            return [_sum(inputs)]
        items, *rest = inputs
        if not isinstance(items, Reserved) and items.dtype.name == "variant":
            raise UnsupportedError("a list of tensors that grows in a loop has no equivalent", kind="EmptyTensorList")
        if op.type == "TensorListSetItem":
            index, item = rest[:2]
            items = _items(items, item)
            _require_alike(items, item)
            return [update(_grown(op, items, index, item), index, item)]
        return _WRITERS[op.type](items, *rest) if op.type in _WRITERS else _read(op, items, rest)

    return emit


def _read(op: Operation, items: Tensor | Reserved, rest: Sequence[Tensor]) -> Sequence[Listed]:
    import tensorflow as tf

    if isinstance(items, Reserved):
        if op.type == "TensorListLength":
            return [items.count]
        if op.type == "ZerosLike":
            return [items]
        raise UnsupportedError("a list of tensors is used before the shape of its items is known")
    if op.type in ("TensorListGetItem", "TensorListGather"):
        return [tf.gather(items, rest[0])]
    if op.type == "TensorListLength":
        return [tf.shape(items)[0]]
    if op.type == "TensorListElementShape":
        return [tf.shape(items, out_type=op.outputs[0].dtype)[1:]]
    if op.type == "TensorListPopBack":
        return [items[:-1], items[-1]]
    if op.type == "TensorListConcatV2":
        return _concatenated(items)
    return [tf.zeros_like(items) if op.type == "ZerosLike" else items]


def _reserve(op: Operation, item_shape: Tensor, count: Tensor) -> Tensor | Reserved:
    import tensorflow as tf

    dtype = tf.as_dtype(op.get_attr("element_dtype"))
    if op.type == "EmptyTensorList":
        count = tf.constant(0)
    sizes = _known_sizes(item_shape)
    return Reserved(count, dtype) if sizes is None else zeros(count, sizes, dtype)


def _known_sizes(item_shape: Tensor) -> list[Size] | None:
    """The sizes of an item: numbers, and tensors where they are computed; None where one is not known."""
    import tensorflow as tf

    if item_shape.shape.rank != 1:
        return None
    static = tf.get_static_value(item_shape, partial=True)
    if static is None:
        return [item_shape[axis] for axis in range(item_shape.shape[0])] if item_shape.shape[0] is not None else None
    if any(size is not None and size < 0 for size in static):
        return None
    return [item_shape[axis] if size is None else int(size) for axis, size in enumerate(static)]


def _require_alike(items: Tensor, item: Tensor) -> None:
    if not items.shape[1:].is_compatible_with(item.shape):
        raise UnsupportedError("the items of a list of tensors differ in size", kind="TensorListReserve")


def _items(items: Tensor | Reserved, item: Tensor) -> Tensor:
    return items.dense(_sizes(item)) if isinstance(items, Reserved) else items


def _pushed(items: Tensor | Reserved, item: Tensor) -> list[Listed]:
    import tensorflow as tf

    items = _items(items, item)
    _require_alike(items, item)
    return [tf.concat([items, tf.expand_dims(item, 0)], 0)]


def _scattered(items: Tensor | Reserved, values: Tensor, places: Tensor) -> list[Listed]:
    import tensorflow as tf

    return [tf.tensor_scatter_nd_update(_items(items, values[0]), tf.expand_dims(places, 1), values)]


_WRITERS: dict[str, Callable[..., list[Listed]]] = {
    "TensorListPushBack": _pushed,
    "TensorListScatterIntoExistingList": _scattered,
}


def _concatenated(items: Tensor) -> list[Listed]:
    """All items one behind the other along their first axis."""
    import tensorflow as tf

    sizes = _sizes(items)
    whole = tf.reshape(items, tf.stack([sizes[0] * sizes[1], *sizes[2:]]))
    return [whole, Missing("TensorListConcatV2", "the lengths of the items of a list are used")]


def _sum(lists: Sequence[Tensor | Reserved]) -> Tensor | Reserved:
    """The sum of lists, of which those that are only reserved hold zeros."""
    given = [items for items in lists if not isinstance(items, Reserved)]
    return functools.reduce(lambda one, other: one + other, given) if given else lists[0]


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
