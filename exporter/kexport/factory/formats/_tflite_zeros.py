"""What is always 0 in a TFLite file, for TensorFlow's quantiser of 16 bits.

It divides ranges by the number of integers, and so gives zeros a scale of 0, which no kernel takes: those of a first
state, of what is multiplied by it, of a padding. They get the least range that anything else has.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from kexport.factory.formats._tflite_model import FlatModel, FlatTensor
from kexport.factory.formats._tflite_shared_constants import is_float_constant
from kexport.runtimes.files import tflite

_LEAST = 2 * float(np.finfo(np.float32).tiny)  # the calibrator's range of zeros ends at half of this
_WEIGHTED = ("CONV_2D", "CONV_3D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV")  # have scales of their own


class Zeros:
    """Those of a file whose ranges were measured, which are given a range in place."""

    def __init__(self, measured: FlatModel) -> None:
        reaches = [reach for tensor in _tensors(measured) if (reach := _reach(tensor)) > _LEAST]
        least = min(reaches, default=1.0)
        for tensor in _tensors(measured):
            if 0 <= _reach(tensor) <= _LEAST:
                tensor.quantization.min, tensor.quantization.max = [-least], [least]
        self._places = dict.fromkeys(_constant_zeros(measured))
        for graph, index in self._places:
            buffer = measured.buffers[measured.subgraphs[graph].tensors[index].buffer]
            buffer.data = np.full(len(buffer.data) // 4, least, np.float32).view(np.uint8)

    def restore(self, quantised: FlatModel) -> None:
        """Make the constants 0 again, in the file that the quantiser wrote."""
        for graph, index in self._places:
            buffer = quantised.buffers[quantised.subgraphs[graph].tensors[index].buffer]
            buffer.data = np.zeros(len(buffer.data), np.uint8)


def _constant_zeros(model: FlatModel) -> Iterator[tuple[int, int]]:
    """The graphs and tensors that hold zeros, which operators take as they take numbers."""
    for number, graph in enumerate(model.subgraphs):
        for kind, operator in tflite.operators_of(model, graph):
            for index in (int(each) for each in operator.inputs if each >= 0 and kind not in _WEIGHTED):
                tensor = graph.tensors[index]
                if not is_float_constant(model, tensor):
                    continue
                if not np.asarray(model.buffers[tensor.buffer].data, np.uint8).view(np.float32).any():
                    yield number, index


def _tensors(model: FlatModel) -> Iterator[FlatTensor]:
    for graph in model.subgraphs:
        yield from graph.tensors


def _reach(tensor: FlatTensor) -> float:
    """The largest number that was measured; -1 where nothing was."""
    ranges = tensor.quantization
    if ranges is None or ranges.min is None or ranges.max is None or not len(ranges.min):
        return -1.0
    return max(abs(float(ranges.min[0])), abs(float(ranges.max[0])))
