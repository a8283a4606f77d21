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
    types = tflite.numbered(tflite.schema().TensorType)
    found: Weights = []
    for graph in model.subgraphs:
        tensors: Any = graph.tensors
        floats = tflite.float_outputs(model, graph)
        for kind, operator in tflite.operators_of(model, graph):
            if kind != "SOFTMAX" or types[tensors[operator.inputs[0]].type] not in ("INT8", "UINT8"):
                continue
            numbers = int(tensors[operator.inputs[0]].shape[-1])
            if numbers >= ABORTING_SOFTMAX:
                result = int(operator.outputs[0])
                named = tensors[floats.get(result, result)]  # an output has the name of the layer behind it
                found.append({"op": kind, "layer": layer((named.name or b"").decode()), "numbers": numbers})
    return found
