"""Weights of few numbers in 8 bits, beside float activations: TensorFlow's converter leaves those below 1,024 in float.

They are written as it writes larger ones: a step for each output of a layer, and activations that the kernel makes
integers of in each call, with a zero point where it knows one. See
<https://ai.google.dev/edge/litert/models/post_training_quant>; the versions are those of the operators' 8-bit weights.
"""

from __future__ import annotations

import copy
from collections import Counter
from typing import Any

import numpy as np

from kexport.factory.formats._tflite_model import FlatGraph, FlatModel, FlatTensor, operator_code
from kexport.runtimes.files import tflite

#: By operator, the place of its input, the axis of its weights along which its outputs lie, and its version.
_HYBRID = {
    "FULLY_CONNECTED": (0, 0, 12), "CONV_2D": (0, 0, 5), "DEPTHWISE_CONV_2D": (0, 3, 6), "TRANSPOSE_CONV": (2, 0, 2),
}  # fmt: skip
_WEIGHTS = 1  # the place of weights among the operands of each
_LARGEST = 127
_OF_EACH_STEP, _OF_A_TENSOR = 12, 64  # bytes: a scale and a zero point; what describes them
_LEAST_SAVED = 32  # bytes a tensor; a filter of some taps would lose more than it is worth
_LEAST_SHARE = 0.002  # of the file; in large networks all such weights cost 3 dB, and saved 0.3 %


def narrow_few(model: FlatModel) -> None:
    """Make the weights 8 bits that the converter left in float, where the file gets smaller by what is worth it."""
    held = Counter(tensor.buffer for graph in model.subgraphs for tensor in graph.tensors)
    contents = (getattr(buffer, "data", None) for buffer in model.buffers)
    worth = max(_LEAST_SAVED, _LEAST_SHARE * sum(len(data) for data in contents if data is not None))
    for graph in model.subgraphs:
        for index, takers in _takers(model, graph).items():
            weights = graph.tensors[index]
            numbers = _numbers(model, weights)
            kinds = {kind for kind, _ in takers}
            if numbers is None or held[weights.buffer] > 1 or len(kinds) > 1:
                continue
            (kind,) = kinds
            if kind in _HYBRID and all(_is_hybrid(graph, kind, operator, index) for _, operator in takers):
                axis = _HYBRID[kind][1]
                if 3 * numbers.size - _OF_EACH_STEP * numbers.shape[axis] - _OF_A_TENSOR >= worth:
                    graph.tensors[index] = _narrowed(model, weights, numbers, axis)
                    for _, operator in takers:
                        _take_integers(model, kind, operator)


def _takers(model: FlatModel, graph: FlatGraph) -> dict[int, list[tuple[str, Any]]]:
    """The operators that take each tensor, with their kinds; none for what the graph gives."""
    found: dict[int, list[tuple[str, Any]]] = {}
    for kind, operator in tflite.operators_of(model, graph):
        for index in {int(index) for index in operator.inputs}:
            found.setdefault(index, []).append((kind, operator))
    return {index: takers for index, takers in found.items() if index >= 0 and index not in graph.outputs}


def _is_hybrid(graph: FlatGraph, kind: str, operator: Any, index: int) -> bool:
    """Whether an operator takes a tensor as weights beside a float input, in a kernel that takes 8 bits there."""
    places = [place for place, taken in enumerate(operator.inputs) if taken == index]
    source = graph.tensors[int(operator.inputs[_HYBRID[kind][0]])]
    if places != [_WEIGHTS] or tflite.numbered(tflite.schema().TensorType)[source.type] != "FLOAT32":
        return False
    grouped = kind == "CONV_2D" and int(graph.tensors[index].shape[3]) != int(source.shape[3])
    return not grouped


def _take_integers(model: FlatModel, kind: str, operator: Any) -> None:
    from tensorflow.lite.python import schema_py_generated as schema

    operator.opcodeIndex = operator_code(model, kind, _HYBRID[kind][2])
    if kind == "FULLY_CONNECTED":
        operator.builtinOptionsType = schema.BuiltinOptions.FullyConnectedOptions
        operator.builtinOptions = operator.builtinOptions or schema.FullyConnectedOptionsT()
        operator.builtinOptions.asymmetricQuantizeInputs = True


def _numbers(model: FlatModel, weights: FlatTensor) -> np.ndarray[Any, Any] | None:
    """The finite numbers of constant float weights."""
    buffer: Any = model.buffers[weights.buffer]
    if tflite.numbered(tflite.schema().TensorType)[weights.type] != "FLOAT32" or buffer.data is None:
        return None
    numbers = np.frombuffer(bytes(bytearray(buffer.data)), "<f4").reshape([int(size) for size in weights.shape])
    return numbers if np.isfinite(numbers).all() else None


def _narrowed(model: FlatModel, weights: FlatTensor, numbers: np.ndarray[Any, Any], axis: int) -> FlatTensor:
    """The weights as integers, with the step of each output."""
    from tensorflow.lite.python import schema_py_generated as schema

    others = tuple(each for each in range(numbers.ndim) if each != axis)
    largest = np.abs(numbers).max(axis=others, keepdims=True)
    steps = np.where(largest > 0, largest, 1).astype(np.float32) / np.float32(_LARGEST)
    integers = np.clip(np.rint(numbers / steps), -_LARGEST, _LARGEST).astype(np.int8)
    buffer: Any = model.buffers[weights.buffer]
    buffer.data = np.frombuffer(integers.tobytes(), np.uint8)
    own = copy.copy(weights)
    own.type, own.quantization = schema.TensorType.INT8, schema.QuantizationParametersT()
    own.quantization.scale, own.quantization.zeroPoint = steps.ravel(), np.zeros(steps.size, np.int64)
    own.quantization.quantizedDimension = axis
    return own
