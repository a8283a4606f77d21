"""Weights of a large model, kept out of the graph while it is converted and attached to the finished ONNX file.

TensorFlow's optimiser and tf2onnx copy a graph many times, and cannot hold one of more than 2 GB. So the large
arrays are inputs of the graph meanwhile. Afterwards, what only rearranges an array is done to the array itself, and
the arrays are written beside the file, as ONNX' external data, or into it while the whole stays small enough.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from kexport.bundle.signature import Array
from kexport.factory.emit.handover import Handover
from kexport.factory.formats._onnx_graphs import names_used_inside
from kexport.factory.graph.onnx_protocols import OnnxGraph, OnnxModel, OnnxTensor
from kexport.factory.graph.protocols import Tensor

#: Bytes of all weights from which on they are kept apart: below, TensorFlow can fold arithmetic into them.
APART_FROM = 256 << 20
#: Bytes from which on one array is large; smaller ones stay in the graph, where they can be folded.
_LARGE = 1 << 20
#: Bytes that a protocol buffer may have are 2 GiB - 1; the nodes need room too.
_INSIDE_UP_TO = 1900 << 20
_ALIGNMENT = 4096  # bytes: a page, so that a runtime can map the arrays


class Weights:
    """The captured arrays of one conversion."""

    def __init__(self, program: Handover) -> None:
        self._keep_apart = program.weight_bytes >= APART_FROM
        self._arrays: dict[str, Array] = {}
        self.tensors: list[str] = []

    def tensor(self, name: str, value: Array) -> Tensor:
        """The tensor that stands for a captured array in the graph under construction."""
        import tensorflow as tf

        if not self._keep_apart or value.nbytes < _LARGE:
            return tf.constant(value, name=name)
        placeholder = tf.compat.v1.placeholder(tf.as_dtype(value.dtype), value.shape, name)
        self._arrays[placeholder.name] = value
        self.tensors.append(placeholder.name)
        return placeholder

    def attach(self, model: OnnxModel, target: Path) -> list[str]:
        """Make the arrays initializers of the model; the names of the files that were written for them."""
        graph = model.graph
        arrays = _rearranged(graph, self._arrays)
        kept = [value for value in graph.input if value.name not in self._arrays]
        del graph.input[:]
        graph.input.extend(kept)
        if not arrays:
            return []
        if sum(array.nbytes for array in arrays.values()) <= _INSIDE_UP_TO:
            graph.initializer.extend(_initializer(name, array) for name, array in arrays.items())
            return []
        file = target.with_name(target.name + ".data")
        with file.open("wb") as stream:
            for name, array in arrays.items():
                stream.write(bytes(-stream.tell() % _ALIGNMENT))
                graph.initializer.append(_outside(name, array, file.name, stream.tell()))
                np.ascontiguousarray(array).reshape(-1).view(np.uint8).tofile(stream)
        return [file.name]


def _rearranged(graph: OnnxGraph, arrays: Mapping[str, Array]) -> dict[str, Array]:
    """The arrays that the graph uses, after the nodes that rearrange one array were done to it and removed."""
    import onnx

    constants = {tensor.name: tensor for tensor in graph.initializer}
    results, used = dict(arrays), set()
    nodes = []
    for node in graph.node:
        done = None
        if node.op_type in _REARRANGING and node.input and node.input[0] in results:
            rest = [onnx.numpy_helper.to_array(constants[name]) for name in node.input[1:] if name in constants]
            if len(rest) == len(node.input) - 1:
                attributes = {item.name: onnx.helper.get_attribute_value(item) for item in node.attribute}
                done = _REARRANGING[node.op_type](results[node.input[0]], rest, attributes)
        if done is not None and not any(node.output[0] == value.name for value in graph.output):
            results[node.output[0]] = done
            continue
        nodes.append(node)
        used |= set(node.input) | names_used_inside(node)
    del graph.node[:]
    graph.node.extend(nodes)
    return {name: array for name, array in results.items() if name in used}


_Rearranging = Callable[[Array, list[Array], Mapping[str, list[int]]], "Array | None"]

_REARRANGING: dict[str, _Rearranging] = {
    "Identity": lambda array, rest, attributes: array,
    "Transpose": lambda array, rest, attributes: np.transpose(array, attributes.get("perm")),
    "Reshape": lambda array, rest, attributes: array.reshape([int(size) for size in rest[0]])
    if 0 not in rest[0] else None,
    "Squeeze": lambda array, rest, attributes: np.squeeze(array, tuple(map(int, rest[0]))) if rest else None,
    "Unsqueeze": lambda array, rest, attributes: np.expand_dims(array, tuple(map(int, rest[0]))) if rest else None,
}  # fmt: skip


def _initializer(name: str, array: Array) -> OnnxTensor:
    tensor = _described(name, array)
    tensor.raw_data = np.ascontiguousarray(array).tobytes()
    return tensor


def _outside(name: str, array: Array, file: str, offset: int) -> OnnxTensor:
    import onnx

    tensor = _described(name, array)
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in (("location", file), ("offset", str(offset)), ("length", str(array.nbytes))):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value
    return tensor


def _described(name: str, array: Array) -> OnnxTensor:
    import onnx

    return onnx.TensorProto(name=name, dims=array.shape, data_type=onnx.helper.np_dtype_to_tensor_dtype(array.dtype))
