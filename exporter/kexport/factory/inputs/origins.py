"""Where the elements of a tensor in the traced graph come from: which input, and which feature of it.

Only operations that move values, or leave most of them unchanged, are followed. Which element lands where is found by
running that part of the graph on the numbers of the features.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kexport.bundle.signature import Array, TensorSpec
from kexport.factory.graph.protocols import Graph, Operation, Tensor

#: Features with a domain of their own; an int8 tensor can hold all of their numbers.
MOST_FEATURES = 120
_LENGTH = 16  # of a dynamic axis
# Operations that move values, each with the places of the inputs that it moves; None stands for all but the last.
_WHOLE = ("Identity", "Cast", "StopGradient", "PreventGradient", "EnsureShape", "CheckNumerics", "Snapshot")
_MOVES: dict[str, tuple[int, ...] | None] = {
    **dict.fromkeys(("Reshape", "ExpandDims", "Squeeze", "StridedSlice", "Slice", "Transpose", "SplitV"), (0,)),
    **dict.fromkeys(("Unpack", "Tile", "BroadcastTo", "ReverseV2", "Roll", "Pad", "PadV2", "MirrorPad"), (0,)),
    "Split": (1,),
    "ConcatV2": None,
    "GatherV2": (0,),
}
_ALL = ("Pack", "IdentityN")
_CALLS = ("PartitionedCall", "StatefulPartitionedCall")
# Most values of the domain that lies behind pass these unchanged.
_NEARLY = ("ClipByValue", "Maximum", "Minimum", "SelectV2", "StringLower", "StringUpper", "StringStrip")


@dataclass(frozen=True)
class Lineage:
    """Where the elements of a tensor come from.

    Attributes:
        inputs: the index of the input that each element comes from, -1 where it is none.
        features: the index of each element along the last axis of its input.
    """

    inputs: Array
    features: Array


class Origins:
    """The origins of the tensors of a traced function.

    Args:
        graph: the graph of the function.
        specs: its inputs.

    Attributes:
        operations: those of the graph, and of all functions that it calls.
    """

    def __init__(self, graph: Graph, specs: Sequence[TensorSpec]) -> None:
        self._graph = graph
        self._specs = specs
        self.operations: list[Operation] = []
        self._given: dict[int, Tensor] = {}
        self._enter(graph)
        self._inputs = {id(tensor): index for index, tensor in enumerate(graph.inputs[: len(specs)])}

    def _enter(self, graph: Graph) -> None:
        """Note the operations of a graph and of the functions that it calls, and what these are given."""
        for operation in graph.get_operations():
            self.operations.append(operation)
            if operation.type not in _CALLS:
                continue
            function = graph._functions.get(operation.get_attr("f").name)
            body: Graph | None = getattr(function, "graph", None)
            if body is not None and not any(id(each) in self._given for each in body.inputs):
                self._given |= {id(i): o for i, o in zip(body.inputs, operation.inputs, strict=False)}
                self._enter(body)

    def given(self, tensor: Tensor) -> Tensor:
        """What a tensor is outside of the functions that are called: what the outermost call was given."""
        while True:
            if tensor.op.type == "Identity":
                tensor = tensor.op.inputs[0]
            elif id(tensor) in self._given:
                tensor = self._given[id(tensor)]
            else:
                return tensor

    def of(self, tensor: Any) -> Lineage | None:
        """The origin of a tensor; None where no input reaches it."""
        if not hasattr(tensor, "op"):
            return None
        paths = _Paths(self._inputs, self._given)
        paths.follow(tensor)
        if not paths.reached:
            return None
        (first, *others) = sorted(paths.reached)
        if paths.whole and not others:
            shape = _sizes(self._specs[first].shape)
            features = np.broadcast_to(np.arange(shape[-1]) if shape else 0, shape)
            return Lineage(np.full(shape, first), features)
        found = None if paths.nested else self._evaluated(tensor, paths)
        return found or self._anywhere(sorted(paths.reached))

    def _anywhere(self, reached: Sequence[int]) -> Lineage:
        """Any feature of the inputs."""
        counts = [(_sizes(self._specs[index].shape) or (1,))[-1] for index in reached]
        inputs = np.concatenate([np.full(count, index) for count, index in zip(counts, reached, strict=True)])
        return Lineage(inputs, np.concatenate([np.arange(count) for count in counts]))

    def _evaluated(self, tensor: Tensor, paths: _Paths) -> Lineage | None:
        """The origin found by running the graph on numbers; None where that fails."""
        try:
            inputs = self._run(tensor, paths, lambda index, shape: np.full(shape, index))
            features = self._run(
                tensor, paths, lambda index, shape: np.broadcast_to(np.arange(shape[-1]) if shape else 0, shape)
            )
        except Exception:  # noqa: BLE001  TensorFlow raises many kinds: the part depends on more than these numbers
            return None
        return Lineage(inputs, features)

    def _run(self, tensor: Tensor, paths: _Paths, number: Any) -> Array:
        import tensorflow as tf

        numbers = {id(each): (each, np.full(_sizes(each.shape.as_list()), -1)) for each in paths.others}
        for index in paths.reached:
            each = self._graph.inputs[index]
            numbers[id(each)] = each, number(index, _sizes(self._specs[index].shape))
        with tf.Graph().as_default():
            part, used = _part(tensor, numbers)
            replaced = {numbers[each][0].name: _filled(*numbers[each]) for each in used}
            (result,) = tf.graph_util.import_graph_def(part, replaced, return_elements=[tensor.name])
            with tf.compat.v1.Session() as session:
                return np.asarray(session.run(result)).astype(np.int64)


class _Paths:
    """The ways back from a tensor through operations that move values.

    Attributes:
        reached: the indices of the inputs at their ends.
        others: the tensors at their other ends.
        whole: whether each way keeps every element in its place.
        nested: whether a way leads out of a function that is called.
    """

    def __init__(self, inputs: Mapping[int, int], given: Mapping[int, Tensor]) -> None:
        self._inputs = inputs
        self._given = given
        self.nested = False
        self.reached: set[int] = set()
        self.others: list[Tensor] = []
        self.whole = True

    def follow(self, tensor: Tensor) -> None:
        """Follow the ways back from this tensor."""
        pending, seen = [tensor], set()
        while pending:
            each = pending.pop()
            if id(each) in seen:
                continue
            seen.add(id(each))
            if id(each) in self._inputs:
                self.reached.add(self._inputs[id(each)])
                continue
            if id(each) in self._given:
                self.nested = True
                pending.append(self._given[id(each)])
                continue
            sources = list(_moved(each.op))
            self.whole = self.whole and each.op.type in (*_WHOLE, *_NEARLY)
            pending += sources
            if not sources and each.op.type != "Const":
                self.others.append(each)


def _moved(operation: Operation) -> Iterator[Tensor]:
    """The inputs whose values an operation passes on."""
    import tensorflow as tf

    inputs = list(operation.inputs)
    if operation.type == "Cast" and operation.outputs[0].dtype.name == "bool":
        return
    if operation.type in _WHOLE:
        yield inputs[0]
    elif operation.type in _NEARLY:
        yield inputs[_passed(operation)]
    elif operation.type in _ALL:
        yield from inputs
    elif operation.type == "GatherV2" and tf.get_static_value(inputs[1]) is None:
        return
    elif operation.type in _MOVES:
        places = _MOVES[operation.type]
        yield from inputs[:-1] if places is None else [inputs[place] for place in places]


def _part(tensor: Tensor, ends: Container[int]) -> tuple[Any, set[int]]:
    """The part of a graph that computes a tensor from others, by their ids, and the ids of those that it takes."""
    import tensorflow as tf

    part, used = tf.compat.v1.GraphDef(), set()
    pending, seen = [tensor], set()
    while pending:
        each = pending.pop()
        if id(each) in ends:
            used.add(id(each))
        elif id(each.op) not in seen:
            seen.add(id(each.op))
            node = part.node.add()
            node.CopyFrom(each.op.node_def)
            inputs = list(each.op.inputs)
            if node.op in _NEARLY:
                place = _passed(each.op)
                _pass_on(node, place)
                inputs = [inputs[place]]
            pending += inputs
    return part, used


def _passed(operation: Operation) -> int:
    """The place of the input that an operation passes on nearly unchanged: of a choice, what is no constant."""
    if operation.type != "SelectV2":
        return 0
    return 1 if operation.inputs[2].op.type == "Const" else 2


def _pass_on(node: Any, place: int) -> None:
    """Make a node of a graph pass one of its inputs on."""
    kind = "string" if node.op.startswith("String") else "T"
    node.op = "Identity"
    kept = node.input[place]
    del node.input[:]
    node.input.append(kept)
    for name in list(node.attr):
        if name != "T":
            del node.attr[name]
    if kind == "string":
        node.attr["T"].type = 7  # DT_STRING


def _filled(tensor: Tensor, numbers: Array) -> Any:
    import tensorflow as tf

    dtype = tensor.dtype
    values = numbers.astype(str) if dtype.name == "string" else numbers.astype(dtype.as_numpy_dtype)
    return tf.constant(values, dtype)


def _sizes(shape: Sequence[int | None]) -> tuple[int, ...]:
    """A shape with one sample, and a few steps along every other dynamic axis."""
    return tuple((_LENGTH if axis else 1) if size is None else size for axis, size in enumerate(shape))
