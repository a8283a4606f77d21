"""The structure of a TFLite file: whether every table, index and size is what the runtime takes it for.

Only tables are read, never weights: the time depends on the number of tensors and operators.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kexport.runtimes.soundness import tflite_schema as schema
from kexport.runtimes.soundness.flatbuffer import Flatbuffer, Layout, Value, integer, numbers
from kexport.runtimes.soundness.flaw import FlawError
from kexport.runtimes.soundness.tflite_bounds import decided_by_values
from kexport.runtimes.soundness.tflite_calls import check_calls
from kexport.runtimes.soundness.tflite_costs import CallLimits, size_of
from kexport.runtimes.soundness.tflite_dataflow import check_dataflow
from kexport.runtimes.soundness.tflite_kernels import check_kernels
from kexport.runtimes.soundness.tflite_operators import OperatorKind, kind_of
from kexport.runtimes.soundness.tflite_options import OPTIONS, OPTIONS_2
from kexport.runtimes.soundness.tflite_schema import OperatorRow, SubgraphRows, TensorRow
from kexport.runtimes.soundness.tflite_shapes import check_loops, check_variables
from kexport.runtimes.soundness.tflite_tensors import TensorReader
from kexport.runtimes.soundness.tflite_types import check_types

_IDENTIFIER = b"TFL3"
_DELEGATE, _CUSTOM = 51, 32


def check_tflite(content: memoryview, most: Callable[[int], CallLimits]) -> str:
    """Check the model in a buffer; returns the operator that `decided_by_values` found.

    Args:
        content: the bytes of the file.
        most: what a call may take, from the bytes of the inputs that the file declares.

    Raises:
        FlawError: something in it is not what the runtime takes it for.
    """
    subgraphs = ModelReader(content).subgraphs()
    for number, subgraph in enumerate(subgraphs):
        check_dataflow(subgraph, main=not number)
    check_calls(subgraphs)
    limits = most(sum(size_of(subgraphs[0].tensors[tensor]) for tensor in subgraphs[0].inputs))
    check_kernels(subgraphs, content, reference=limits.reference)
    check_variables(subgraphs, content)
    check_loops(subgraphs)
    return decided_by_values(subgraphs, content, limits)


class ModelReader:
    """Reads the tables of a model.

    Args:
        content: the bytes of the file.
    """

    def __init__(self, content: memoryview) -> None:
        self.buffer = Flatbuffer(content)
        (_, self._codes, self._subgraphs, _, buffers, _, metadata, signatures, groups, external) = self.buffer.read(
            self.buffer.root(_IDENTIFIER), schema.MODEL
        )
        read = self.buffer.read
        self.codes = tuple(map(self._code, enumerate(numbers(self._codes))))
        self.tensors = TensorReader(self.buffer, numbers(buffers))
        for position in numbers(metadata):
            index = read(position, schema.METADATA)[1]
            _require_index("a metadata entry's buffer", index, len(self.tensors.spans))
        for position in numbers(groups):
            read(position, schema.EXTERNAL_GROUP)
        if numbers(external):
            raise FlawError("the weights", "in other files, named in this one", "in this file")
        self._signatures = numbers(signatures)

    def subgraphs(self) -> tuple[SubgraphRows, ...]:
        """All subgraphs, the main one first."""
        positions = numbers(self._subgraphs)
        if not positions:
            raise FlawError("the number of subgraphs", 0, "at least 1")
        subgraphs = tuple(self._subgraph(index, at) for index, at in enumerate(positions))
        for position in self._signatures:
            self._check_signature(position, subgraphs)
        return subgraphs

    def _code(self, numbered: tuple[int, int]) -> tuple[int, str]:
        """The number and name of an operator."""
        index, position = numbered
        old, custom, version, new = self.buffer.read(position, schema.OPERATOR_CODE)
        code = max(integer(old), integer(new))
        place = f"operator code {index}"
        if code < 0 or code == _DELEGATE or integer(version) < 1:
            raise FlawError(place, f"number {code}, version {version}", "a known operator of version 1 or higher")
        if (code == _CUSTOM) != (custom is not None and numbers(custom)[1] > 0):
            raise FlawError(place, f"number {code}, custom code {self.buffer.text(custom)!r}", "one of them")
        kind = kind_of(code)
        return code, kind.name if kind else str(code)

    def _subgraph(self, index: int, position: int) -> SubgraphRows:
        tensors, inputs, outputs, operators, _, _ = self.buffer.read(position, schema.SUBGRAPH)
        place = f"subgraph {index}" if index else "the graph"
        rows = tuple(self.tensors.row(f"tensor {at} of {place}", p) for at, p in enumerate(numbers(tensors)))
        for side, indices in (("an input", inputs), ("an output", outputs)):
            for tensor in numbers(indices):
                _require_index(f"{side} of {place}", tensor, len(rows))
        return SubgraphRows(
            place,
            rows,
            numbers(inputs),
            numbers(outputs),
            tuple(self._operator(f"operator {at} of {place}", p, rows) for at, p in enumerate(numbers(operators))),
        )

    def _operator(self, place: str, position: int, tensors: tuple[TensorRow, ...]) -> OperatorRow:
        (opcode, inputs, outputs, kind_1, options, _, _, _, intermediates, offset, size, kind_2, options_2, _) = (
            self.buffer.read(position, schema.OPERATOR)
        )
        _require_index(f"{place}, its operator code,", opcode, len(self.codes))
        code, name = self.codes[integer(opcode)]
        place = f"{place} ({name})"
        for tensor in numbers(inputs):
            if not -1 <= tensor < len(tensors):
                raise FlawError(f"an input of {place}", f"tensor {tensor}", f"one of {len(tensors)}")
        for tensor in (*numbers(outputs), *numbers(intermediates)):
            _require_index(f"an output of {place}", tensor, len(tensors))
        if integer(offset) + integer(size) > self.buffer.size:
            raise FlawError(f"the custom options of {place}", f"{size} bytes at {offset}", "a part of the file")
        kind = kind_of(code)
        fields = self._options(place, (integer(kind_1), options), OPTIONS, kind.options if kind else 0)
        second = kind.options_2 if kind else 0
        fields.update(self._options(place, (integer(kind_2), options_2), OPTIONS_2, second))
        row = OperatorRow(code, name, numbers(inputs), numbers(outputs), fields, numbers(intermediates))
        if kind is not None:
            _check_operands(place, row, kind, (integer(kind_1), integer(kind_2)))
            check_types(place, kind.types, row, tensors)
        return row

    def _options(
        self, place: str, union: tuple[int, Value], layouts: Mapping[int, Layout], absent: int
    ) -> dict[str, Value]:
        """The fields of an operator's options; where it has none, the defaults of those that it should have."""
        number, position = union
        if (number == 0) != (position is None):
            raise FlawError(f"the options of {place}", f"type {number}, table {position}", "both or neither")
        if position is None:
            return {name: default for name, _, default in layouts[absent].slots} if absent else {}
        layout = layouts.get(number)
        if layout is None:
            raise FlawError(f"the options of {place}", f"type {number}", "a type of the schema")
        return dict(zip(layout.names, self.buffer.read(integer(position), layout), strict=True))

    def _check_signature(self, position: int, subgraphs: tuple[SubgraphRows, ...]) -> None:
        inputs, outputs, _, _, index = self.buffer.read(position, schema.SIGNATURE)
        _require_index("the subgraph of a signature", index, len(subgraphs))
        subgraph = subgraphs[integer(index)]
        for side, maps, tensors in (("input", inputs, subgraph.inputs), ("output", outputs, subgraph.outputs)):
            for entry in numbers(maps):
                tensor = self.buffer.read(entry, schema.TENSOR_MAP)[1]
                if tensor not in tensors:
                    raise FlawError(f"an {side} of a signature", f"tensor {tensor}", f"an {side} of {subgraph.place}")


def _require_index(place: str, index: Value, count: int) -> None:
    if not 0 <= integer(index) < count:
        raise FlawError(place, index, f"one of {count}")


def _check_operands(place: str, operator: OperatorRow, kind: OperatorKind, options: tuple[int, int]) -> None:
    """Raise `FlawError` unless number of operands and type of options are those of the operator."""
    for side, operands, counts in (
        ("inputs", operator.inputs, kind.inputs),
        ("outputs", operator.outputs, kind.outputs),
    ):
        if len(operands) not in counts:
            raise FlawError(f"the {side} of {place}", len(operands), counts.text)
    for index, tensor in enumerate(operator.inputs):
        if tensor < 0 and index not in kind.optional:
            raise FlawError(f"input {index} of {place}", "left out", "a tensor")
    for number, expected in zip(options, (kind.options, kind.options_2), strict=True):
        if number not in (0, expected):
            raise FlawError(f"the options of {place}", f"type {number}", f"type {expected}")
