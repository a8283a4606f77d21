"""Changing a TFLite file: constants, options of operators, and the names of results."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Change = Callable[[Any], Any]
_DTYPES = {
    "FLOAT32": "float32", "FLOAT16": "float16", "BOOL": "bool", "INT8": "int8", "INT16": "int16", "INT32": "int32",
    "INT64": "int64",
}  # fmt: skip


class TfliteGraph:
    """A TFLite file. Operators are found by their kind and the Keras layer that they come from, in all subgraphs."""

    def __init__(self, path: Path) -> None:
        from tensorflow.lite.python import schema_py_generated as schema
        from tensorflow.lite.tools import flatbuffer_utils

        self.path = path
        self.schema = schema
        self.model = flatbuffer_utils.read_model(str(path))
        self._kinds = {v: k for k, v in vars(schema.BuiltinOperator).items() if not k.startswith("_")}
        self._types = {v: k for k, v in vars(schema.TensorType).items() if not k.startswith("_")}

    def save(self) -> None:
        """Write the file."""
        from tensorflow.lite.tools import flatbuffer_utils

        self.path.write_bytes(bytes(flatbuffer_utils.convert_object_to_bytearray(self.model)))

    def operators(self, kind: str, layer: str = "") -> list[tuple[Any, Any]]:
        """The subgraph and the operator of all of a kind."""
        return [
            (graph, operator)
            for graph in self.model.subgraphs
            for operator in graph.operators or ()
            if self.kind(operator) == kind and (not layer or layer_in(graph, operator, layer))
        ]

    def operator(self, kind: str, layer: str = "", which: int | None = None) -> tuple[Any, Any]:
        """The one operator of a kind in a layer, or that of an index, with its subgraph."""
        found = self.operators(kind, layer)
        assert len(found) == 1 or (which is not None and found), f"{len(found)} {kind} of {layer!r}: {self.text()}"
        return found[which or 0]

    def kind(self, operator: Any) -> str:
        """The name of an operator."""
        code = self.model.operatorCodes[operator.opcodeIndex]
        return self._kinds[max(code.builtinCode, code.deprecatedBuiltinCode)]

    def value(self, graph: Any, tensor: int) -> Any:
        """The array of a constant tensor."""
        own = graph.tensors[tensor]
        data = self.model.buffers[own.buffer].data
        assert data is not None, f"{own.name.decode()!r} is not constant"
        dtype = _DTYPES[self._types[own.type]]
        return np.frombuffer(bytes(bytearray(data)), dtype).reshape([int(size) for size in own.shape])

    def change(self, kind: str, layer: str, operand: int, change: Change, which: int | None = None) -> None:
        """Give an operator another constant than the one it has."""
        graph, operator = self.operator(kind, layer, which)
        old = self.value(graph, operator.inputs[operand])
        self.set_operand(graph, operator, operand, np.asarray(change(np.array(old)), old.dtype))

    def change_all(self, change: Change) -> None:
        """Change every array of more than one real number."""
        for graph in self.model.subgraphs:
            for tensor in graph.tensors:
                buffer = self.model.buffers[tensor.buffer]
                if buffer.data is not None and self._types[tensor.type] == "FLOAT32" and len(buffer.data) > 4:
                    old = np.frombuffer(bytes(bytearray(buffer.data)), "float32").reshape(list(tensor.shape))
                    new = np.ascontiguousarray(np.asarray(change(old), old.dtype))
                    buffer.data = np.frombuffer(new.tobytes(), np.uint8)

    def set_operand(self, graph: Any, operator: Any, operand: int, value: Any) -> None:
        """Let an operator take a new constant of the dtype of the old operand."""
        old = graph.tensors[operator.inputs[operand]]
        tensor, buffer = self.schema.TensorT(), self.schema.BufferT()
        buffer.data = np.frombuffer(np.ascontiguousarray(value).tobytes(), np.uint8)
        tensor.shape, tensor.type, tensor.hasRank = np.array(value.shape, np.int32), old.type, old.hasRank
        tensor.name, tensor.buffer = b"planted", len(self.model.buffers)
        tensor.quantization = old.quantization
        self.model.buffers = [*self.model.buffers, buffer]
        graph.tensors = [*graph.tensors, tensor]
        operands = [int(index) for index in operator.inputs]
        operands[operand] = len(graph.tensors) - 1
        operator.inputs = operands

    def option(self, kind: str, layer: str, which: int | None = None, **values: Any) -> None:
        """Set options of an operator."""
        _, operator = self.operator(kind, layer, which)
        for name, value in values.items():
            assert hasattr(operator.builtinOptions, name), f"{name}: {vars(operator.builtinOptions)}"
            setattr(operator.builtinOptions, name, value)

    def swap_operands(self, kind: str, layer: str, which: int | None = None) -> None:
        """Exchange the first two operands of an operator."""
        _, operator = self.operator(kind, layer, which)
        first, second, *rest = (int(index) for index in operator.inputs)
        operator.inputs = [second, first, *rest]

    def skip(self, kind: str, layer: str, which: int | None = None) -> None:
        """Remove an operator: who takes its result takes its first operand."""
        graph, operator = self.operator(kind, layer, which)
        source, result = int(operator.inputs[0]), int(operator.outputs[0])
        graph.operators = [other for other in graph.operators if other is not operator]
        for other in graph.operators:
            other.inputs = [source if index == result else int(index) for index in other.inputs]
        graph.outputs = [source if index == result else int(index) for index in graph.outputs]
        for entry in self.model.signatureDefs:
            for item in entry.outputs:
                if item.tensorIndex == result:
                    graph.tensors[source].name, item.tensorIndex = graph.tensors[result].name, source
                    graph.tensors[result].name = b"planted"

    def swap_results(self, one: str, other: str) -> None:
        """Exchange the tensors behind two outputs of the file."""
        graph, (entry,) = self.model.subgraphs[0], self.model.signatureDefs
        items = {item.name.decode(): item for item in entry.outputs}
        first, second = int(items[one].tensorIndex), int(items[other].tensorIndex)
        items[one].tensorIndex, items[other].tensorIndex = second, first
        tensors = graph.tensors
        tensors[first].name, tensors[second].name = tensors[second].name, tensors[first].name
        exchanged = {first: second, second: first}
        graph.outputs = [exchanged.get(int(index), int(index)) for index in graph.outputs]

    def text(self) -> str:
        """All operators, for a message."""
        return "; ".join(
            f"{self.kind(operator)} {(graph.tensors[operator.outputs[0]].name or b'').decode()}"
            for graph in self.model.subgraphs
            for operator in graph.operators or ()
        )


def layer_in(graph: Any, operator: Any, layer: str) -> bool:
    """Whether an operator belongs to a layer, by the names of its results and constants, or of its subgraph."""
    made = {int(index) for other in graph.operators for index in other.outputs} | {int(i) for i in graph.inputs}
    own = [int(i) for i in operator.outputs] + [int(i) for i in operator.inputs if i >= 0 and int(i) not in made]
    names = [(graph.tensors[index].name or b"").decode() for index in own] + [(graph.name or b"").decode()]
    return any(f"/{layer}{end}/" in f"{name}/" or name == layer for name in names for end in ("_1", ""))
