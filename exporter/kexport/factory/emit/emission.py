"""Emitting a traced program into a new graph: weights become constants, calls are inlined, lowerings applied.

Every operation that the outputs need is created anew, in order, so that TensorFlow infers every shape again: a
batch that is pinned by the caller is known everywhere. Assertions and other control dependencies are left behind.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kexport.errors import ExportError
from kexport.factory.emit import half_precision
from kexport.factory.emit.constant_folding import Folding
from kexport.factory.emit.handover import Handover, Table
from kexport.factory.emit.refusal import refusal, stateful
from kexport.factory.graph import symbolic_sizes, tensor_lists
from kexport.factory.graph.recurrence import RECURRENT, Recurrence
from kexport.factory.lowerings import _lowering
from kexport.factory.lowerings._lowering import Lowering, Missing
from kexport.factory.lowerings._pair import Pair

_CALLS = ("PartitionedCall", "StatefulPartitionedCall")
_BRANCHES = ("If", "StatelessIf", "Case", "StatelessCase")
_LOOPS = ("While", "StatelessWhile")


@dataclass(frozen=True)
class Emitted:
    """A graph without variables and calls.

    Attributes:
        graph: the TensorFlow graph.
        inputs: placeholders, named as the signature names the inputs.
        outputs: tensors, in the order of the signature.
    """

    graph: Any
    inputs: tuple[Any, ...]
    outputs: tuple[Any, ...]


def emit(
    handover: Handover,
    format_name: str,
    weight: Callable[[str, Any], Any] | None = None,
    also: Sequence[str] = (),
) -> Emitted:
    """Emit the program for the converter of a format.

    Args:
        handover: the traced program.
        format_name: whose lowerings apply.
        weight: makes the tensor for a captured array, given the name of its placeholder; by default a constant.
        also: further lowerings, by name.

    Raises:
        ExportError: the program assigns to variables: its state cannot become a constant.
    """
    import tensorflow as tf

    if handover.assigned:
        raise stateful(format_name, handover.assigned.values(), handover.scopes)
    handover = half_precision.in_single(handover)
    with tf.Graph().as_default() as source:
        tf.import_graph_def(handover.graph_def, name="")
    with tf.Graph().as_default() as target:
        emission = _Emission(
            source, handover, format_name, _lowering.needed_by(format_name, also), weight or _constant
        )  # fmt: skip
        inputs = []
        for spec, name in zip(handover.signature.inputs, handover.inputs, strict=True):
            tensor = source.get_tensor_by_name(name)
            placeholder = tf.compat.v1.placeholder(tensor.dtype, spec.shape, spec.name)
            emission.bind(tensor, placeholder)
            inputs.append(placeholder)
        found = emission.tensors([source.get_tensor_by_name(name) for name in handover.outputs])
        for tensor, spec in zip(found, handover.signature.outputs, strict=True):
            if isinstance(tensor, Missing):
                raise refusal(format_name, tensor.why, [(tensor.kind, spec.name)], handover.scopes)
            if isinstance(tensor, Pair):
                raise refusal(
                    format_name, "an output is complex", [("complex numbers", spec.name)], handover.scopes
                )  # fmt: skip
        # An output needs a name of its own, also where it is an input, a constant, or another output.
        outputs = [tf.identity(tensor, f"output_{index}") for index, tensor in enumerate(found)]
    return Emitted(target, tuple(inputs), tuple(outputs))


def _constant(name: str, value: Any) -> Any:
    import tensorflow as tf

    return tf.constant(value, name=name)


class _Emission:
    """The tensors of one source graph, emitted on demand into the current default graph."""

    def __init__(
        self,
        source: Any,
        handover: Handover,
        format_name: str,
        lowerings: Mapping[str, Sequence[Lowering]],
        weight: Callable[[str, Any], Any],
        prefix: str = "",
        folding: Folding | None = None,
    ) -> None:
        self._folding = folding or Folding()
        self._source = source
        self._handover = handover
        self._format = format_name
        self._lowerings = lowerings
        self._weight = weight
        self._prefix = prefix
        self._made: dict[tuple[str, int], Any] = {}

    def bind(self, tensor: Any, made: Any) -> None:
        """From now on `made` stands for the source's tensor."""
        self._made[_key(tensor)] = made

    def tensors(self, wanted: Sequence[Any]) -> list[Any]:
        """What stands for the source's tensors; whatever they need is emitted first."""
        pending = [tensor.op for tensor in reversed(wanted) if _key(tensor) not in self._made]
        while pending:
            op = pending[-1]
            if all((op.name, index) in self._made for index in range(len(op.outputs))):
                pending.pop()
                continue
            missing = [tensor.op for tensor in op.inputs if _key(tensor) not in self._made]
            if missing:
                pending += reversed(missing)
                continue
            pending.pop()
            inputs = [self._made[_key(tensor)] for tensor in op.inputs]
            for tensor, made in zip(op.outputs, self._emit(op, inputs), strict=True):
                self.bind(tensor, made)
        return [self._made[_key(tensor)] for tensor in wanted]

    def _emit(self, op: Any, inputs: list[Any]) -> Sequence[Any]:
        import tensorflow as tf

        name = self._prefix + op.name
        if op.type in ("Placeholder", "PlaceholderWithDefault") and op.name in self._handover.captures:
            return [self._captured(op)]
        if op.type == "ReadVariableOp" or (op.type == "Identity" and op.outputs[0].dtype == tf.variant):
            return inputs
        if op.type == "ResourceGather":
            return [tf.gather(inputs[0], inputs[1], batch_dims=op.get_attr("batch_dims"), name=name)]
        if op.type == "VariableShape":
            return [tf.shape(inputs[0], out_type=op.get_attr("out_type"), name=name)]
        for made in inputs:
            if isinstance(made, Missing):
                raise refusal(self._format, made.why, [(made.kind, name)], self._handover.scopes)
        folded = self._folding.fold(op, inputs, name)
        if folded is not None:
            return folded
        on_complex = any(tensor.dtype.is_complex for tensor in (*op.inputs, *op.outputs))
        for lowering in self._lowerings.get(op.type, ()):
            if lowering.on_complex is on_complex and lowering.applies(op, inputs):
                with tf.name_scope(name + "/"):
                    return lowering.emit(op, inputs)
        if op.type in _CALLS:
            return self._inlined(op, inputs)
        if op.type in _LOOPS:
            return self._loop(op, inputs)
        if op.type in _BRANCHES:
            return self._branch(op, inputs)
        if any(isinstance(made, Pair) for made in inputs):
            why = "an operation on complex numbers has no equivalent"
            raise refusal(self._format, why, [(op.type, name)], self._handover.scopes)
        if any(isinstance(given, Table | tensor_lists.Reserved) for given in inputs):
            why = "an operation takes a table, or a list, that no tensor stands for"
            raise refusal(self._format, why, [(op.type, name)], self._handover.scopes)
        return self._copy(op, inputs, {}, [tensor.dtype for tensor in op.outputs])

    def _captured(self, op: Any) -> Any:
        value = self._handover.captures[op.name]
        if isinstance(value, Table):
            return value  # a lowering makes something of it: it is no tensor
        if value is None:
            raise ExportError("the model captures something that has no value", got=op.name)
        return self._folding.weight(self._weight(op.name, value), value)

    def _copy(self, op: Any, inputs: Sequence[Any], changed: Mapping[str, Any], dtypes: Sequence[Any]) -> Sequence[Any]:
        import tensorflow as tf

        known = {attr.name for attr in op.op_def.attr}
        attrs = {name: value for name, value in op.node_def.attr.items() if name in known}
        attrs.update(changed)
        made = tf.compat.v1.get_default_graph().create_op(
            op.type, list(inputs), list(dtypes), name=self._prefix + op.name, attrs=attrs, op_def=op.op_def
        )
        return list(made.outputs)

    def _body(self, name: str) -> Any:
        """The graph of a function in the source's library."""
        from tensorflow.python.framework.function_def_to_graph import function_def_to_graph

        for definition in self._handover.graph_def.library.function:
            if definition.signature.name == name:
                with self._source.as_default():
                    return function_def_to_graph(definition)
        raise KeyError(name)

    def _inside(self, body: Any, inputs: Sequence[Any], prefix: str, wanted: Sequence[Any] | None = None) -> list[Any]:
        """The outputs of a function's graph, or other tensors in it, for these inputs."""
        inner = _Emission(body, self._handover, self._format, self._lowerings, self._weight, prefix, self._folding)
        for tensor, made in zip(body.inputs, inputs, strict=True):
            inner.bind(tensor, made)
        return inner.tensors(body.outputs if wanted is None else wanted)

    def _inlined(self, op: Any, inputs: Sequence[Any]) -> Sequence[Any]:
        import tensorflow as tf

        function = op.get_attr("f").name
        settings = self._handover.recurrent.get(function)
        recurrence = None if settings is None else Recurrence.of(settings, inputs)
        if recurrence is not None:
            for lowering in self._lowerings.get(RECURRENT, ()):
                if lowering.applies(recurrence, inputs):
                    with tf.name_scope(f"{self._prefix}{op.name}/"):
                        return lowering.emit(recurrence, inputs)
        return self._inside(self._body(function), inputs, f"{self._prefix}{op.name}/")

    def _function(self, name: str, specs: Sequence[Any]) -> Any:
        """A concrete function of a body of the library, emitted for inputs of these specs."""
        import tensorflow as tf

        body = self._body(name)

        def call(*inputs: Any) -> list[Any]:
            return self._inside(body, inputs, "")

        call.__name__ = "body"
        return tf.function(call, autograph=False).get_concrete_function(*specs)

    def _branch(self, op: Any, inputs: Sequence[Any]) -> Sequence[Any]:
        selector, *rest = inputs
        if op.type.endswith("Case"):
            return self._cases(op, selector, rest)
        specs = _specs(rest)
        branches = [self._function(op.get_attr(f"{side}_branch").name, specs) for side in ("then", "else")]
        dtypes = [tensor.dtype for tensor in branches[0].outputs]
        changed = {
            "then_branch": _function_named(branches[0]),
            "else_branch": _function_named(branches[1]),
            "Tin": _types(spec.dtype for spec in specs),
            "Tout": _types(dtypes),
        }
        return self._copy(op, [selector, *rest], changed, dtypes)

    def _cases(self, op: Any, selector: Any, inputs: Sequence[Any]) -> Sequence[Any]:
        """A choice among several as choices between two: the last is for every number that no other has."""
        import tensorflow as tf

        names = [function.name for function in op.get_attr("branches")]

        def chosen(first: int) -> list[Any]:
            if first == len(names) - 1:
                return self._inside(self._body(names[first]), inputs, f"{self._prefix}{op.name}/{first}/")
            found = tf.cond(
                tf.equal(selector, first),
                lambda: self._inside(self._body(names[first]), inputs, ""),
                lambda: chosen(first + 1),
            )
            return list(tf.nest.flatten(found))

        return chosen(0)

    def _loop(self, op: Any, inputs: Sequence[Any]) -> Sequence[Any]:
        """A loop whose variables keep the shapes that its body keeps."""
        import tensorflow as tf

        inputs = self._settled(op, inputs)
        specs = _specs(inputs)
        while True:
            body = self._function(op.get_attr("body").name, specs)
            kept = [
                tf.TensorSpec(spec.shape.most_specific_compatible_shape(tensor.shape), spec.dtype)
                for spec, tensor in zip(specs, body.outputs, strict=True)
            ]  # fmt: skip
            if all(_same(old.shape, new.shape) for old, new in zip(specs, kept, strict=True)):
                break
            specs = kept
        condition = self._function(op.get_attr("cond").name, specs)
        changed = {
            "body": _function_named(body),
            "cond": _function_named(condition),
            "T": _types(spec.dtype for spec in specs),
            "output_shapes": _shapes(spec.shape for spec in specs),
        }
        return self._copy(op, inputs, changed, [spec.dtype for spec in specs])

    def _settled(self, op: Any, inputs: Sequence[Any]) -> list[Any]:
        """The inputs of a loop; where one is a list that is only reserved, the body tells the shape of its items."""
        if not any(isinstance(given, tensor_lists.Reserved) for given in inputs):
            return list(inputs)
        body = self._body(op.get_attr("body").name)
        return [
            given.dense(self._item_sizes(body, variable, inputs)) if isinstance(given, tensor_lists.Reserved) else given
            for given, variable in zip(inputs, body.inputs, strict=True)
        ]

    def _item_sizes(self, body: Any, variable: Any, inputs: Sequence[Any]) -> list[Any]:
        """Sizes of what the body writes to a list: of the inputs where the graph tells so, else of a first item."""
        import tensorflow as tf

        item = tensor_lists.written(variable)
        if item is None:
            raise ExportError("a loop carries a list of tensors whose items' shape is not known", got=variable.op.name)
        prefix = f"{self._prefix}{variable.op.name}/first/"
        with tf.Graph().as_default():
            stand_ins = [
                given
                if isinstance(given, tensor_lists.Reserved)
                else tf.compat.v1.placeholder(given.dtype, given.shape)
                for given in inputs
            ]
            (made,) = self._inside(body, stand_ins, prefix, [item])
            sizes = [symbolic_sizes.size(made, axis) for axis in range(made.shape.rank)]
        if None in sizes:
            first = tf.shape(*self._inside(body, inputs, prefix, [item]))
            return [first[axis] if size is None else size for axis, size in enumerate(made.shape.as_list())]
        pairs = zip(stand_ins, inputs, strict=True)
        by_name = {made.op.name: given for made, given in pairs if not isinstance(made, tensor_lists.Reserved)}
        return [
            functools.reduce(tf.maximum, [tf.shape(by_name[name])[axis] for name, axis in sorted(size)])
            if isinstance(size, frozenset) else size
            for size in sizes
        ]  # fmt: skip


def _key(tensor: Any) -> tuple[str, int]:
    return tensor.op.name, tensor.value_index


def _specs(tensors: Sequence[Any]) -> list[Any]:
    import tensorflow as tf

    return [tf.TensorSpec(tensor.shape, tensor.dtype) for tensor in tensors]


def _same(one: Any, other: Any) -> bool:
    """Whether two shapes are known alike."""
    if one.rank is None or other.rank is None:
        return bool(one.rank is other.rank)
    return bool(one.as_list() == other.as_list())


def _function_named(function: Any) -> Any:
    """The attribute value that names a function, which is added to the current graph's library."""
    import tensorflow as tf
    from tensorflow.core.framework import attr_value_pb2

    function.add_to_graph(tf.compat.v1.get_default_graph())
    value = attr_value_pb2.AttrValue()
    value.func.name = function.name
    return value


def _types(dtypes: Any) -> Any:
    from tensorflow.core.framework import attr_value_pb2

    value = attr_value_pb2.AttrValue()
    value.list.type.extend(dtype.as_datatype_enum for dtype in dtypes)
    return value


def _shapes(shapes: Any) -> Any:
    from tensorflow.core.framework import attr_value_pb2

    value = attr_value_pb2.AttrValue()
    value.list.shape.extend(shape.as_proto() for shape in shapes)
    return value
