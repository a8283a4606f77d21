"""Emits a traced program into a new graph: weights become constants, calls are inlined, lowerings applied.

Every operation that the outputs need is created anew, in order, so that TensorFlow infers every shape again: a
batch that is pinned by the caller is known everywhere. Assertions and other control dependencies are left behind.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kexport.bundle.signature import Array
from kexport.errors import ExportError
from kexport.factory.emit import control_flow, half_precision
from kexport.factory.emit.folded_weights import FoldedWeights
from kexport.factory.emit.handover import Handover, Table
from kexport.factory.emit.postcondition import Lowered
from kexport.factory.emit.refusal import stateful
from kexport.factory.graph.broadcast_sizes import Broadcast
from kexport.factory.graph.protocols import DType, Graph, Operation, Tensor
from kexport.factory.graph.recurrence import RECURRENT, Recurrence
from kexport.factory.graph.tensor_lists import CALLS, Reserved
from kexport.factory.lowerings import ComplexPair, Lowering, Missing, UnsupportedError, needed_by

#: Makes the tensor for a captured array, given the name of its placeholder.
Weight = Callable[[str, Array], Tensor]


@dataclass(frozen=True)
class Emitted:
    """A graph without variables and calls.

    Attributes:
        graph: the TensorFlow graph.
        inputs: placeholders, named as the signature names the inputs.
        outputs: tensors, in the order of the signature.
    """

    graph: Graph
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]


def constant(name: str, value: Array) -> Tensor:
    """A captured array as a constant."""
    import tensorflow as tf

    return tf.constant(value, name=name)


def _name_of(captured: Operation) -> str:
    """The name of a captured array; TensorFlow numbers those without one in a count of the process."""
    return re.sub(r"(^|/)\d+$", r"\1captured", captured.name)


def emit(handover: Handover, format_name: str, weight: Weight = constant, also: Sequence[str] = ()) -> Emitted:
    """Emit the program for the converter of a format.

    Args:
        handover: the traced program.
        format_name: the format whose lowerings apply.
        weight: makes the tensor for a captured array.
        also: further lowerings, by name.

    Raises:
        ExportError: the program assigns to variables: its state cannot become a constant. Or the format lacks an
            operation.
    """
    import tensorflow as tf

    trail = handover.trail
    if handover.assigned:
        culprits = [trail.culprit("", name) for name in handover.assigned.values()]
        raise stateful(format_name, culprits, handover.seeds.issuperset(handover.assigned), trail.layers)
    handover = half_precision.in_single(handover)
    with tf.Graph().as_default() as source:
        tf.import_graph_def(handover.graph.graph_def, name="")
    with tf.Graph().as_default() as target:
        emission = _Emission(source, _Conversion(handover, format_name, needed_by(format_name, also), weight))
        inputs = []
        for spec, name in zip(handover.signature.inputs, handover.graph.inputs, strict=True):
            tensor = source.get_tensor_by_name(name)
            placeholder = tf.compat.v1.placeholder(tensor.dtype, spec.shape, spec.name)
            emission.bind(tensor, placeholder)
            inputs.append(placeholder)
        wanted = [source.get_tensor_by_name(name) for name in handover.graph.outputs]
        results = emission.tensors(wanted)
        for result, tensor in zip(results, wanted, strict=True):
            if isinstance(result, Missing):
                raise trail.refused(format_name, result.why, [(result.kind, _maker(tensor))])
            if isinstance(result, ComplexPair):
                raise trail.refused(format_name, "an output is complex", [("complex numbers", _maker(tensor))])
        trail.finished()
        # An output needs a name of its own, also where it is an input, a constant, or another output.
        outputs = [tf.identity(result, f"output_{index}") for index, result in enumerate(results)]
    return Emitted(target, tuple(inputs), tuple(outputs))


@dataclass(frozen=True)
class _Conversion:
    """What the graph and the bodies of its functions are emitted with.

    Attributes:
        handover: the program.
        format_name: the name of the format it is emitted for.
        lowerings: by type of operation, in the order they are asked.
        weight: makes the tensor for a captured array.
        folding: computes operations on weights.
        numbers: of the functions that are emitted.
    """

    handover: Handover
    format_name: str
    lowerings: Mapping[str, Sequence[Lowering]]
    weight: Weight
    folding: FoldedWeights = field(default_factory=FoldedWeights)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    @functools.cached_property
    def functions(self) -> frozenset[str]:
        """The names of the functions in the library of the traced program."""
        return frozenset(each.signature.name for each in self.handover.graph.graph_def.library.function)

    def refused(self, why: str, kind: str, name: str) -> ExportError:
        """The error for an operation that the format lacks."""
        return self.handover.trail.refused(self.format_name, why, [(kind, name)])


class _Emission:
    """The tensors of one source graph, emitted on demand into the current default graph."""

    def __init__(self, source: Graph, conversion: _Conversion, prefix: str = "") -> None:
        self.prefix = prefix
        self._source = source
        self._conversion = conversion
        self._emitted: dict[tuple[str, int], Any] = {}

    def bind(self, tensor: Tensor, value: object) -> None:
        """From now on `value` stands for the source's tensor."""
        self._emitted[_key(tensor)] = value

    def tensors(self, wanted: Sequence[Tensor]) -> list[Any]:
        """The values that replace the source's tensors; whatever they need is emitted first."""
        pending = [tensor.op for tensor in reversed(wanted) if _key(tensor) not in self._emitted]
        while pending:
            op = pending[-1]
            if all((op.name, index) in self._emitted for index in range(len(op.outputs))):
                pending.pop()
                continue
            missing = [tensor.op for tensor in op.inputs if _key(tensor) not in self._emitted]
            if missing:
                pending += reversed(missing)
                continue
            pending.pop()
            inputs = [self._emitted[_key(tensor)] for tensor in op.inputs]
            self._conversion.handover.trail.begin(self.prefix + op.name, op)
            try:
                outputs = self._emit(op, inputs)
            except UnsupportedError as error:
                raise self._conversion.refused(str(error), error.kind or op.type, self.prefix + op.name) from error
            for tensor, value in zip(op.outputs, outputs, strict=True):
                self.bind(tensor, value)
        return [self._emitted[_key(tensor)] for tensor in wanted]

    def _emit(self, op: Operation, inputs: list[Any]) -> Sequence[object]:
        """The values that replace the outputs of an operation."""
        name = self.prefix + op.name
        outputs = self._read(op, inputs, name)
        if outputs is not None:
            return outputs
        for value, tensor in zip(inputs, op.inputs, strict=True):
            if isinstance(value, Missing):
                raise self._conversion.refused(value.why, value.kind, self.prefix + _maker(tensor))
        folded = self._conversion.folding.fold(op, inputs, name)
        if folded is not None:
            return folded
        on_complex = any(tensor.dtype.is_complex for tensor in (*op.inputs, *op.outputs))
        lowered = self._lowered(op, op.type, op, inputs, on_complex)
        if lowered is not None:
            return lowered
        if op.type in CALLS or op.type in self._conversion.functions:  # TensorFlow's gradients call by the type
            return self._inlined(op, op.get_attr("f").name if op.type in CALLS else op.type, inputs)
        if op.type in control_flow.LOOPS:
            return control_flow.loop(self, op, inputs)
        if op.type in control_flow.BRANCHES:
            return control_flow.branch(self, op, inputs)
        if any(tensor.dtype.name.startswith("float8") for tensor in (*op.inputs, *op.outputs)):
            raise UnsupportedError("it has no floating point numbers of 8 bits")
        if any(isinstance(value, ComplexPair) for value in inputs):
            raise UnsupportedError("an operation on complex numbers has no equivalent")
        if any(isinstance(value, Table | Reserved | Broadcast) for value in inputs):
            raise UnsupportedError(
                "an operation takes what cannot be represented as a tensor: a table, a list, or axes"
            )
        if any(
            tensor.dtype.name == "variant" != value.dtype.name for tensor, value in zip(op.inputs, inputs, strict=True)
        ):  # a tensor stands for a list
            raise UnsupportedError("an operation on lists of tensors has no equivalent")
        return self.copy(op, inputs, {}, [tensor.dtype for tensor in op.outputs])

    def _read(self, op: Operation, inputs: list[Any], name: str) -> Sequence[object] | None:
        """The outputs of an operation that reads something captured, a variable above all; None for any other."""
        import tensorflow as tf

        if op.type in ("Placeholder", "PlaceholderWithDefault") and op.name in self._conversion.handover.graph.captures:
            return [self._captured(op)]
        if op.type == "PlaceholderWithDefault":  # of TF1: no signature feeds it, so it always has its default
            return inputs
        if op.type == "ReadVariableOp" or (op.type == "Identity" and op.outputs[0].dtype == tf.variant):
            return inputs
        if op.type == "ResourceGather":
            return [tf.gather(inputs[0], inputs[1], batch_dims=op.get_attr("batch_dims"), name=name)]
        return (
            [tf.shape(inputs[0], out_type=op.get_attr("out_type"), name=name)] if op.type == "VariableShape" else None
        )

    def _captured(self, op: Operation) -> object:
        value = self._conversion.handover.graph.captures[op.name]
        if isinstance(value, Table):
            return value  # not a tensor: a lowering replaces the operations that read it
        if value is None:
            raise UnsupportedError("it captures a tensor, a table or another resource without a value")
        return self._conversion.folding.weight(self._conversion.weight(_name_of(op), value), value)

    def _lowered(
        self, op: Operation, kind: str, subject: Operation | Recurrence, inputs: Sequence[Any], on_complex: bool
    ) -> Sequence[object] | None:
        """What the first lowering of this type of operation that applies gives; None where none does."""
        import tensorflow as tf

        name = self.prefix + op.name
        for lowering in self._conversion.lowerings.get(kind, ()):
            if lowering.on_complex is on_complex and lowering.applies(subject, inputs):
                with tf.name_scope(name + "/"):
                    outputs = lowering.emitted(subject, inputs, self._conversion.lowerings)
                Lowered(lowering, op, inputs, outputs).require_alike(name, self._conversion.handover.trail.scopes)
                return outputs
        return None

    def _inlined(self, op: Operation, name: str, inputs: Sequence[Any]) -> Sequence[object]:
        """The outputs of a call: those of a recurrent layer's lowering, or of the function that is called."""
        settings = self._conversion.handover.recurrent.get(name)
        recurrence = None if settings is None else Recurrence.of(settings, op, inputs)
        if recurrence is not None:
            lowered = self._lowered(op, RECURRENT, recurrence, inputs, on_complex=False)
            if lowered is not None:
                return lowered
        body = self.body(name)
        return self.inside(body, inputs, f"{self.prefix}{op.name}/", body.outputs)

    def body(self, name: str) -> Graph:
        """The graph of a function in the library of the traced program."""
        from tensorflow.python.framework.function_def_to_graph import function_def_to_graph

        for definition in self._conversion.handover.graph.graph_def.library.function:
            if definition.signature.name == name:
                with self._source.as_default():
                    return function_def_to_graph(definition)
        raise KeyError(name)

    def unique(self) -> str:
        """A name that nothing else in the emitted program has."""
        return f"inner_{next(self._conversion.numbers)}"

    def inside(self, body: Graph, inputs: Sequence[Any], prefix: str, wanted: Sequence[Tensor]) -> list[Any]:
        """Tensors of a function's graph, emitted for these inputs."""
        inner = _Emission(body, self._conversion, prefix)
        for tensor, value in zip(body.inputs, inputs, strict=True):
            inner.bind(tensor, value)
        return inner.tensors(wanted)

    def copy(
        self, op: Operation, inputs: Sequence[Tensor], changed: Mapping[str, object], dtypes: Sequence[DType]
    ) -> list[Tensor]:
        """The operation with other inputs, some other attributes, and outputs of these dtypes."""
        import tensorflow as tf

        declared = {attr.name for attr in op.op_def.attr}
        attrs: dict[str, object] = {name: value for name, value in op.node_def.attr.items() if name in declared}
        attrs.update(changed)
        copied = tf.compat.v1.get_default_graph().create_op(
            op.type, list(inputs), list(dtypes), name=self.prefix + op.name, attrs=attrs, op_def=op.op_def
        )
        return list(copied.outputs)


def _maker(tensor: Tensor) -> str:
    """The operation that made a tensor, past those that only pass it on."""
    op = tensor.op
    while op.type == "Identity":
        op = op.inputs[0].op
    return op.name


def _key(tensor: Tensor) -> tuple[str, int]:
    return tensor.op.name, tensor.value_index
