"""Lists of tensors that are only reserved where a loop or a choice takes them: what it writes tells an item's shape."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from kexport.factory.graph import symbolic_sizes
from kexport.factory.graph.protocols import Graph, Operation, Size, Tensor
from kexport.factory.graph.tensor_lists import BRANCHES, LOOPS, Reserved, functions_of, written
from kexport.factory.lowerings import UnsupportedError


class Emitter(Protocol):
    """Emits the operations of a graph; `prefix` precedes their names."""

    prefix: str

    def body(self, name: str) -> Graph:
        """The graph of a function in the library of the traced program."""

    def inside(self, body: Graph, inputs: Sequence[Any], prefix: str, wanted: Sequence[Tensor]) -> list[Any]:
        """Tensors of a function's graph, emitted for these inputs."""

    def unique(self) -> str:
        """A name that nothing else in the emitted program has."""


def dense(emitter: Emitter, op: Operation, inputs: Sequence[Tensor | Reserved]) -> list[Tensor]:
    """The inputs of a loop or a choice, each list that is only reserved as a tensor of zeros."""
    import tensorflow as tf

    tensors: list[Tensor] = []
    for place, value in enumerate(inputs):
        if isinstance(value, Reserved):
            with tf.name_scope(f"{emitter.prefix}{op.name}/"):
                value = value.dense(_item_sizes(emitter, op, place, inputs))
        tensors.append(value)
    return tensors


def _item_sizes(emitter: Emitter, op: Operation, place: int, inputs: Sequence[Tensor | Reserved]) -> list[Size]:
    """Sizes of what is written to a list: sizes of the inputs where the graph says so, else of a first item."""
    import tensorflow as tf

    with tf.Graph().as_default():
        stand_ins = [
            value if isinstance(value, Reserved) else tf.compat.v1.placeholder(value.dtype, value.shape)
            for value in inputs
        ]
        item = _first_item(emitter, op, place, stand_ins)
        if item is None or item.shape.rank is None:
            raise UnsupportedError(
                "a list of tensors goes into a loop or a branch that does not show the shape of its items",
                kind="TensorListReserve",
            )
        sizes = [symbolic_sizes.size(item, axis) for axis in range(item.shape.rank)]
    static = [size for size in sizes if size is not None]
    if len(static) < len(sizes):
        shown = _first_item(emitter, op, place, inputs)
        _require_alike(emitter, op, place, inputs, shown)
        first = tf.shape(shown)
        return [first[axis] if size is None else size for axis, size in enumerate(item.shape.as_list())]
    pairs = zip(stand_ins, inputs, strict=True)
    by_name = {stand_in.op.name: value for stand_in, value in pairs if not isinstance(stand_in, Reserved)}
    return [
        functools.reduce(tf.maximum, [tf.shape(by_name[name])[axis] for name, axis in sorted(size)])
        if isinstance(size, frozenset) else size
        for size in static
    ]  # fmt: skip


def _require_alike(emitter: Emitter, op: Operation, place: int, inputs: Sequence[Any], first: Tensor | None) -> None:
    """Refuse a list whose second item has another size than the first, as far as constants show them."""
    if first is None or op.type not in LOOPS or all(size is None for size in first.shape.as_list()):
        return
    body = emitter.body(*functions_of(op))
    after = emitter.inside(body, inputs, f"{emitter.prefix}{op.name}/{emitter.unique()}/", body.outputs)
    second = _first_item(emitter, op, place, after)
    if second is not None and not first.shape.is_compatible_with(second.shape):
        raise UnsupportedError("the items of a list of tensors differ in size", kind="TensorListReserve")


def _first_item(emitter: Emitter, op: Operation, place: int, inputs: Sequence[Any]) -> Tensor | None:
    """What the functions of an operation write first to the list at this place among its inputs."""
    return next(_items(emitter, op, place, inputs, f"{emitter.prefix}{op.name}/"), None)


def _items(emitter: Emitter, op: Operation, place: int, inputs: Sequence[Any], prefix: str) -> Iterator[Tensor]:
    """What the functions of an operation, and those inside, write to a list, emitted for these inputs."""
    selectors = 1 if op.type in BRANCHES else 0  # which the functions do not get
    for name in functions_of(op):
        body, inside = emitter.body(name), f"{prefix}{emitter.unique()}/"
        variable, given = body.inputs[place - selectors], inputs[selectors:]
        for user, item in written(variable):
            if item is not None:
                yield from emitter.inside(body, given, inside, [item])
                continue
            values = emitter.inside(body, given, inside, user.inputs)
            for at, tensor in enumerate(user.inputs):
                if _same(tensor, variable):
                    yield from _items(emitter, user, at, values, inside)


def _same(tensor: Tensor, variable: Tensor) -> bool:
    """Whether a tensor is a variable, perhaps passed on."""
    while tensor.op.type == "Identity":
        tensor = tensor.op.inputs[0]
    return tensor is variable
