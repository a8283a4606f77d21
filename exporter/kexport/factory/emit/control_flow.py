"""Emits the loops and branches of a traced graph, with their bodies."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from kexport.factory.graph import symbolic_sizes, tensor_lists
from kexport.factory.graph.protocols import ConcreteFunction, DType, Graph, Operation, Shape, Size, Tensor
from kexport.factory.graph.tensor_lists import Reserved
from kexport.factory.lowerings import UnsupportedError

BRANCHES = ("If", "StatelessIf", "Case", "StatelessCase")
LOOPS = ("While", "StatelessWhile")


class ArgumentSpec(Protocol):
    """Shape and dtype of an argument of a function (`tf.TensorSpec`)."""

    shape: Shape
    dtype: DType


class Emitter(Protocol):
    """Emits the operations of a graph; `prefix` precedes their names."""

    prefix: str

    def body(self, name: str) -> Graph:
        """The graph of a function in the library of the traced program."""

    def inside(self, body: Graph, inputs: Sequence[Any], prefix: str, wanted: Sequence[Tensor]) -> list[Any]:
        """Tensors of a function's graph, emitted for these inputs."""

    def copy(
        self, op: Operation, inputs: Sequence[Tensor], changed: Mapping[str, object], dtypes: Sequence[DType]
    ) -> list[Tensor]:
        """The operation with other inputs, some other attributes, and outputs of these dtypes."""


def branch(emitter: Emitter, op: Operation, inputs: Sequence[Tensor]) -> list[Tensor]:
    """The outputs of a choice between functions, its first input saying which."""
    selector, *rest = inputs
    if op.type.endswith("Case"):
        return _cases(emitter, op, selector, rest)
    specs = _specs(rest)
    branches = [_function(emitter, op.get_attr(f"{side}_branch").name, specs) for side in ("then", "else")]
    dtypes = [tensor.dtype for tensor in branches[0].outputs]
    changed = {
        "then_branch": _function_named(branches[0]),
        "else_branch": _function_named(branches[1]),
        "Tin": _types(spec.dtype for spec in specs),
        "Tout": _types(dtypes),
    }
    return emitter.copy(op, [selector, *rest], changed, dtypes)


def _cases(emitter: Emitter, op: Operation, selector: Tensor, inputs: Sequence[Tensor]) -> list[Tensor]:
    """A choice among several as choices between two: the last is for every number that no other has."""
    import tensorflow as tf

    names = [function.name for function in op.get_attr("branches")]

    def computed(case: int, prefix: str) -> list[Tensor]:
        body = emitter.body(names[case])
        return emitter.inside(body, inputs, prefix, body.outputs)

    def chosen(first: int) -> list[Tensor]:
        if first == len(names) - 1:
            return computed(first, f"{emitter.prefix}{op.name}/{first}/")
        results = tf.cond(tf.equal(selector, first), lambda: computed(first, ""), lambda: chosen(first + 1))
        return list(tf.nest.flatten(results))

    return chosen(0)


def loop(emitter: Emitter, op: Operation, inputs: Sequence[Tensor | Reserved]) -> list[Tensor]:
    """The outputs of a loop, whose variables keep the shapes that its body keeps."""
    import tensorflow as tf

    variables = _dense(emitter, op, inputs)
    specs = _specs(variables)
    while True:
        body = _function(emitter, op.get_attr("body").name, specs)
        kept = [
            tf.TensorSpec(spec.shape.most_specific_compatible_shape(tensor.shape), spec.dtype)
            for spec, tensor in zip(specs, body.outputs, strict=True)
        ]
        if all(_same(old.shape, new.shape) for old, new in zip(specs, kept, strict=True)):
            break
        specs = kept
    condition = _function(emitter, op.get_attr("cond").name, specs)
    changed = {
        "body": _function_named(body),
        "cond": _function_named(condition),
        "T": _types(spec.dtype for spec in specs),
        "output_shapes": _shapes(spec.shape for spec in specs),
    }
    return emitter.copy(op, variables, changed, [spec.dtype for spec in specs])


def _dense(emitter: Emitter, op: Operation, inputs: Sequence[Tensor | Reserved]) -> list[Tensor]:
    """The inputs of a loop; where one is a list that is only reserved, the body tells the shape of its items."""
    import tensorflow as tf

    if not any(isinstance(value, Reserved) for value in inputs):
        return [value for value in inputs if not isinstance(value, Reserved)]
    body = emitter.body(op.get_attr("body").name)
    dense = []
    for value, variable in zip(inputs, body.inputs, strict=True):
        if isinstance(value, Reserved):
            sizes = _item_sizes(emitter, body, variable, inputs)
            with tf.name_scope(f"{emitter.prefix}{op.name}/"):
                dense.append(value.dense(sizes))
        else:
            dense.append(value)
    return dense


def _item_sizes(emitter: Emitter, body: Graph, variable: Tensor, inputs: Sequence[Tensor | Reserved]) -> list[Size]:
    """Sizes of what the body writes to a list: sizes of the inputs where the graph says so, else of a first item."""
    import tensorflow as tf

    item = tensor_lists.written(variable)
    if item is None:
        raise UnsupportedError("a loop carries a list of tensors whose item shape is unknown")
    prefix = f"{emitter.prefix}{variable.op.name}/first/"
    with tf.Graph().as_default():
        stand_ins = [
            value if isinstance(value, Reserved) else tf.compat.v1.placeholder(value.dtype, value.shape)
            for value in inputs
        ]
        (emitted,) = emitter.inside(body, stand_ins, prefix, [item])
        sizes = [symbolic_sizes.size(emitted, axis) for axis in range(emitted.shape.rank)]
    static = [size for size in sizes if size is not None]
    if len(static) < len(sizes):
        first = tf.shape(*emitter.inside(body, inputs, prefix, [item]))
        return [first[axis] if size is None else size for axis, size in enumerate(emitted.shape.as_list())]
    pairs = zip(stand_ins, inputs, strict=True)
    by_name = {stand_in.op.name: value for stand_in, value in pairs if not isinstance(stand_in, Reserved)}
    return [
        functools.reduce(tf.maximum, [tf.shape(by_name[name])[axis] for name, axis in sorted(size)])
        if isinstance(size, frozenset) else size
        for size in static
    ]  # fmt: skip


def _function(emitter: Emitter, name: str, specs: Sequence[ArgumentSpec]) -> ConcreteFunction:
    """A concrete function of a body of the library, emitted for inputs of these specs."""
    import tensorflow as tf

    graph = emitter.body(name)

    def body(*inputs: Tensor) -> list[Tensor]:
        return emitter.inside(graph, inputs, emitter.prefix, graph.outputs)

    return tf.function(body, autograph=False).get_concrete_function(*specs)


def _specs(tensors: Sequence[Tensor]) -> list[ArgumentSpec]:
    import tensorflow as tf

    return [tf.TensorSpec(tensor.shape, tensor.dtype) for tensor in tensors]


def _same(one: Shape, other: Shape) -> bool:
    """Whether two static shapes are equal, unknown sizes included."""
    if one.rank is None or other.rank is None:
        return one.rank is other.rank
    return one.as_list() == other.as_list()


def _function_named(function: ConcreteFunction) -> object:
    """The attribute value that names a function, which is added to the current graph's library."""
    import tensorflow as tf
    from tensorflow.core.framework import attr_value_pb2

    function.add_to_graph(tf.compat.v1.get_default_graph())
    value = attr_value_pb2.AttrValue()
    value.func.name = function.name
    return value


def _types(dtypes: Iterable[DType]) -> object:
    from tensorflow.core.framework import attr_value_pb2

    value = attr_value_pb2.AttrValue()
    value.list.type.extend(dtype.as_datatype_enum for dtype in dtypes)
    return value


def _shapes(shapes: Iterable[Shape]) -> object:
    from tensorflow.core.framework import attr_value_pb2

    value = attr_value_pb2.AttrValue()
    value.list.shape.extend(shape.as_proto() for shape in shapes)
    return value
