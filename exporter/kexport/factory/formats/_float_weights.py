"""The weights that a file of 8-bit weights keeps in float, read from the file: converters leave some without a word.

TensorFlow's converter leaves those of fewer than 1,024 numbers, and both leave what their kernels take in float alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from kexport.factory.emit.trail import Trail, layer_of
from kexport.factory.formats._onnx_graphs import with_inner
from kexport.runtimes.files import tflite
from kexport.runtimes.files.protocols import TfliteModel

#: By operator, which operands may be weights; biases, which stay in float, are none of them.
_TFLITE: Mapping[str, Iterable[int]] = {
    "FULLY_CONNECTED": (1,), "CONV_2D": (1,), "DEPTHWISE_CONV_2D": (1,), "TRANSPOSE_CONV": (1,), "CONV_3D": (1,),
    "CONV_3D_TRANSPOSE": (1,), "BATCH_MATMUL": (0, 1), "GATHER": (0,), "EMBEDDING_LOOKUP": (1,),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": range(1, 9), "LSTM": range(1, 9), "UNIDIRECTIONAL_SEQUENCE_RNN": (1, 2),
}  # fmt: skip
_ONNX: Mapping[str, Iterable[int]] = {
    "MatMul": (0, 1), "Gemm": (1,), "Conv": (1,), "ConvTranspose": (1,), "Gather": (0,), "LSTM": (1, 2), "GRU": (1, 2),
    "RNN": (1, 2),
}  # fmt: skip
Weights = list[dict[str, object]]


def of_tflite(model: TfliteModel, layer: Callable[[str], str]) -> Weights:
    """The operators with float weights, each with the layer that it comes from, and how many numbers they are.

    Args:
        model: the file.
        layer: the layer that computes a tensor of a name, in words.
    """
    types = tflite.numbered(tflite.schema().TensorType)
    buffers: Any = getattr(model, "buffers", ())
    found: Weights = []
    for graph in model.subgraphs:
        tensors: Any = graph.tensors
        for kind, operator in tflite.operators_of(model, graph):
            places = [place for place in _TFLITE.get(kind, ()) if place < len(operator.inputs)]
            taken = [tensors[operator.inputs[place]] for place in places if operator.inputs[place] >= 0]
            numbers = sum(
                int(np.prod(each.shape))
                for each in taken
                if types[each.type] == "FLOAT32" and buffers[each.buffer].data is not None
            )
            if numbers:
                name = (tensors[operator.outputs[0]].name or b"").decode()
                found.append({"op": kind, "layer": layer(name), "numbers": numbers})
    return found


def of_onnx(path: Path, trail: Trail) -> Weights:
    """The same of an ONNX file."""
    import onnx

    graphs = [*with_inner(onnx.load(path).graph)]
    constants = [each for graph in graphs for each in graph.initializer]
    floats = {each.name: each for each in constants if each.data_type == onnx.TensorProto.FLOAT}
    found: Weights = []
    for node in (node for graph in graphs for node in graph.node):
        places = [place for place in _ONNX.get(node.op_type, ()) if place < len(node.input)]
        taken = [floats[node.input[place]] for place in places if node.input[place] in floats]
        if taken:
            numbers = sum(int(np.prod(each.dims)) for each in taken)
            layer = layer_of(node.name or node.output[0], trail.scopes)
            found.append({"op": node.op_type, "layer": layer, "numbers": numbers})
    return found
