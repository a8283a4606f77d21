"""Constants that several operators of a TFLite file take, before TensorFlow's quantiser of 16 bits sees them.

It gives a constant the dtype and the scale of one of these operators. A comparison, which stays in float, then has an
integer among its operands, and a zero has no scale: the file cannot be run. Of tensors that share their bytes it writes
the integers of one.
"""

from __future__ import annotations

import copy
from typing import Any

from kexport.factory.formats._tflite_model import FlatModel, FlatTensor, derived_tensor
from kexport.runtimes.files import tflite

#: What takes weights, which are large, and always in integers.
_WEIGHTED = (
    "BATCH_MATMUL", "CONV_2D", "CONV_3D", "DEPTHWISE_CONV_2D", "EMBEDDING_LOOKUP", "FULLY_CONNECTED", "GATHER",
    "TRANSPOSE_CONV",
)  # fmt: skip


def give_each_its_constants(model: FlatModel) -> None:
    """Give each operator copies of the floats that another takes too, but for weights; each tensor its own bytes."""
    held: set[int] = set()
    for tensor in (tensor for graph in model.subgraphs for tensor in graph.tensors):
        if tensor.buffer in held and _is_constant(model, tensor):
            _give_own_bytes(model, tensor)
        held.add(tensor.buffer)
    for graph in model.subgraphs:
        taken: set[int] = {int(index) for index in graph.outputs}
        for kind, operator in tflite.operators_of(model, graph):
            inputs = [int(index) for index in operator.inputs]
            for place, index in enumerate(inputs):
                if kind in _WEIGHTED or index < 0 or not is_float_constant(model, graph.tensors[index]):
                    continue
                if index in taken:
                    inputs[place] = derived_tensor(graph, index)
                    _give_own_bytes(model, graph.tensors[inputs[place]])
                taken.add(index)
            operator.inputs = inputs


def is_float_constant(model: FlatModel, tensor: FlatTensor) -> bool:
    """Whether a tensor is a constant of float32."""
    types = tflite.numbered(tflite.schema().TensorType)
    return types[tensor.type] == "FLOAT32" and _is_constant(model, tensor)


def _is_constant(model: FlatModel, tensor: FlatTensor) -> bool:
    """Whether a tensor is a constant."""
    data: Any = getattr(model.buffers[tensor.buffer], "data", None)
    return data is not None and len(data) > 0


def _give_own_bytes(model: FlatModel, tensor: FlatTensor) -> None:
    model.buffers.append(copy.copy(model.buffers[tensor.buffer]))
    tensor.buffer = len(model.buffers) - 1
