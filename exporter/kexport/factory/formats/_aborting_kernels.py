"""The operators of a TFLite file of integers at which kernels may end the process: softmaxes of many numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kexport.factory.formats._float_weights import Weights
from kexport.runtimes.files import tflite
from kexport.runtimes.files.protocols import TfliteModel
from kexport.runtimes.soundness.tflite_costs import ABORTING_SOFTMAX


def aborting(model: TfliteModel, layer: Callable[[str], str]) -> Weights:
    """The softmaxes of 8 bits of so many numbers that their sum may be too large, each with its layer and that number.

    Args:
        model: the file.
        layer: the layer that computes a tensor of a name, in words.
    """
    schema = tflite.schema()
    types, names = tflite.numbered(schema.TensorType), tflite.numbered(schema.BuiltinOperator)
    found: Weights = []
    for graph in model.subgraphs:
        tensors: Any = graph.tensors
        ends = set(map(int, graph.outputs))
        operators = [(names[tflite.number(model.operatorCodes[each.opcodeIndex])], each)
                     for each in graph.operators or ()]  # fmt: skip
        floats = {int(each.inputs[0]): int(each.outputs[0]) for kind, each in operators
                  if kind == "DEQUANTIZE" and int(each.outputs[0]) in ends}  # fmt: skip
        for kind, operator in operators:
            if kind != "SOFTMAX" or types[tensors[operator.inputs[0]].type] not in ("INT8", "UINT8"):
                continue
            numbers = int(tensors[operator.inputs[0]].shape[-1])
            if numbers >= ABORTING_SOFTMAX:
                result = int(operator.outputs[0])
                named = tensors[floats.get(result, result)]  # an output has the name of the layer behind it
                found.append({"op": kind, "layer": layer((named.name or b"").decode()), "numbers": numbers})
    return found
