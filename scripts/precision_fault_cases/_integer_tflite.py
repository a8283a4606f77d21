"""Changing a TFLite file of integers: scales, zero points, and what is computed with floats."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy, deepcopy
from typing import Any

import numpy as np

from fault_cases._tflite_graph import TfliteGraph

Change = Callable[[Any], Any]
RESULT = -1  # in place of an operand


class IntegerTflite(TfliteGraph):
    """A TFLite file whose tensors have scales and zero points."""

    def tensor(self, kind: str, layer: str, operand: int, which: int | None = None) -> Any:
        """An operand of an operator, or its result."""
        graph, operator = self.operator(kind, layer, which)
        return graph.tensors[operator.outputs[0] if operand == RESULT else operator.inputs[operand]]

    def rescale(self, kind: str, layer: str, operand: int, change: Change, which: int | None = None) -> None:
        """Change the scales of a tensor; the integers stay, of biases too."""
        own = self._own(self.tensor(kind, layer, operand, which))
        own.scale = np.asarray(change(np.array(own.scale, np.float32)), np.float32)

    def shift(self, kind: str, layer: str, operand: int, by: int, which: int | None = None) -> None:
        """Move the zero points of a tensor."""
        own = self._own(self.tensor(kind, layer, operand, which))
        own.zeroPoint = np.asarray(own.zeroPoint, np.int64) + by

    def axis(self, kind: str, layer: str, operand: int, axis: int) -> None:
        """Let the scales of a tensor belong to another axis."""
        self._own(self.tensor(kind, layer, operand)).quantizedDimension = axis

    def recalibrate(self, kind: str, layer: str, factor: float, zero_point: int | None = None) -> None:
        """Another range for the result of an operator, to which all that takes it is fitted: biases have its scale."""
        graph, operator = self.operator(kind, layer)
        index = int(operator.outputs[0])
        own = self._own(graph.tensors[index])
        own.scale = np.asarray(own.scale, np.float32) * np.float32(factor)
        if zero_point is not None:
            own.zeroPoint = np.full_like(own.zeroPoint, zero_point)
        for other in graph.operators:
            inputs = [int(each) for each in other.inputs]
            if inputs and inputs[0] == index and len(inputs) > 2 and inputs[2] >= 0 and _has_bias(self.kind(other)):
                bias = graph.tensors[inputs[2]]
                self.set_operand(graph, other, 2, np.round(self.value(graph, inputs[2]) / factor))
                fitted = self._own(graph.tensors[int(other.inputs[2])])
                fitted.scale = np.asarray(bias.quantization.scale, np.float32) * np.float32(factor)

    def set_operand(self, graph: Any, operator: Any, operand: int, value: Any) -> None:
        """Let an operator take a new constant of the dtype and scales of the old operand."""
        old = graph.tensors[operator.inputs[operand]]
        dtype = self.value(graph, operator.inputs[operand]).dtype
        super().set_operand(graph, operator, operand, np.asarray(value).astype(dtype))
        graph.tensors[int(operator.inputs[operand])].quantization = deepcopy(old.quantization)

    def change_half(self, change: Change) -> None:
        """Change every array of numbers in half precision."""
        for graph in self.model.subgraphs:
            for tensor in graph.tensors:
                buffer = self.model.buffers[tensor.buffer]
                if buffer.data is not None and tensor.type == self.schema.TensorType.FLOAT16:
                    old = np.frombuffer(bytes(bytearray(buffer.data)), np.float16).reshape(list(tensor.shape))
                    buffer.data = np.frombuffer(np.asarray(change(old), np.float16).tobytes(), np.uint8)

    def in_float(self, kind: str, layer: str) -> None:
        """Compute an operator of one operand in float, between integers that stay as they are."""
        graph, operator = self.operator(kind, layer)
        source, result = int(operator.inputs[0]), int(operator.outputs[0])
        wide = [self._float_beside(graph, index) for index in (source, result)]
        operator.inputs, operator.outputs = [wide[0]], [wide[1]]
        place = next(i for i, each in enumerate(graph.operators) if each is operator)
        before = self._conversion("DEQUANTIZE", source, wide[0])
        after = self._conversion("QUANTIZE", wide[1], result)
        graph.operators = [*graph.operators[:place], before, operator, after, *graph.operators[place + 1 :]]

    def version(self, kind: str, version: int) -> None:
        """Say that the file needs a later version of an operator."""
        (code,) = {self.operators(kind)[0][1].opcodeIndex}
        self.model.operatorCodes[code].version = version

    def _own(self, tensor: Any) -> Any:
        """The quantization of a tensor, which no other one shares."""
        tensor.quantization = copy(tensor.quantization)
        return tensor.quantization

    def _float_beside(self, graph: Any, index: int) -> int:
        tensor, buffer = copy(graph.tensors[index]), self.schema.BufferT()
        tensor.name, tensor.quantization = b"planted", None
        tensor.type, tensor.buffer = self.schema.TensorType.FLOAT32, len(self.model.buffers)
        self.model.buffers = [*self.model.buffers, buffer]
        graph.tensors = [*graph.tensors, tensor]
        return len(graph.tensors) - 1

    def _conversion(self, kind: str, source: int, result: int) -> Any:
        like = self.operators(kind)[0][1]
        made = copy(like)
        made.inputs, made.outputs = [source], [result]
        return made


def _has_bias(kind: str) -> bool:
    return kind in ("FULLY_CONNECTED", "CONV_2D", "DEPTHWISE_CONV_2D")
