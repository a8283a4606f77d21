"""An ONNX model of integer arithmetic (QDQ) that takes and returns the integers themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from kexport.bundle.quantization import AffineQuantization, to_json
from kexport.bundle.signature import Array, Signature
from kexport.factory.formats._integer_io import integers_refused
from kexport.factory.graph.onnx_protocols import OnnxModel, OnnxNode, OnnxValue
from kexport.runtimes.files.onnx import QUANTIZATION

#: Operators that only move elements: before or after them, quantising is the same.
MOVING = frozenset({"Flatten", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze"})


def take_integers(path: Path, signature: Signature) -> dict[str, object]:
    """Leave out what quantises the float inputs of a file and what makes floats of its outputs.

    The scales stand in the metadata of the file, so that a runtime can convert. Returns them, for the manifest.

    Raises:
        ExportError: an input or output is not only used as integers.
    """
    import onnx

    model = onnx.load(path)
    edges = _Edges(model)
    found: dict[str, AffineQuantization] = {}
    for values, specs, take in (
        (model.graph.input, signature.inputs, edges.without_quantize),
        (model.graph.output, signature.outputs, edges.without_dequantize),
    ):
        real = {spec.name for spec in specs if spec.is_float}
        found |= {value.name: take(value) for value in values if value.name in real}
    entries = to_json(found)
    onnx.helper.set_model_props(model, {QUANTIZATION: json.dumps(entries)})
    onnx.save(model, path)
    return entries


class _Edges:
    """The nodes beside the inputs and outputs of a model, which it changes."""

    def __init__(self, model: OnnxModel) -> None:
        import onnx

        self._graph = model.graph
        self._constants = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}

    def without_quantize(self, value: OnnxValue) -> AffineQuantization:
        """Make integers of an input; what quantised it is left out."""
        nodes = list(self._quantizing(value.name))
        scales = {self._scale(node) for node in nodes if node.op_type == "QuantizeLinear"}
        if len(scales) != 1 or not all(node.op_type == "QuantizeLinear" for node in nodes):
            raise integers_refused("onnx", value.name, "float32")
        for node in nodes:
            self._graph.node.remove(node)
            self._rename(node.output[0], node.input[0])
        return self._stored(value, nodes[0])

    def without_dequantize(self, value: OnnxValue) -> AffineQuantization:
        """Return the integers from which an output was computed."""
        (node,) = (node for node in self._graph.node if value.name in node.output)
        if node.op_type != "DequantizeLinear":
            raise integers_refused("onnx", value.name, "float32")
        self._graph.node.remove(node)
        self._rename(node.input[0], value.name)
        return self._stored(value, node)

    def _quantizing(self, name: str) -> Iterator[OnnxNode]:
        """The nodes that first do more with a tensor than move its elements."""
        for node in self._graph.node:
            if name in node.input:
                if node.op_type in MOVING and node.input[0] == name:
                    yield from self._quantizing(node.output[0])
                else:
                    yield node

    def _rename(self, old: str, new: str) -> None:
        for node in self._graph.node:
            for names in (node.input, node.output):
                names[:] = [new if name == old else name for name in names]

    def _scale(self, node: OnnxNode) -> tuple[float, int]:
        scale, zero_point = self._numbers(node)
        return float(scale), int(zero_point)

    def _numbers(self, node: OnnxNode) -> tuple[Array, Array]:
        return self._constants[node.input[1]], self._constants[node.input[2]]

    def _stored(self, value: OnnxValue, node: OnnxNode) -> AffineQuantization:
        """The scale of a node that quantised, or the reverse; the value now holds its integers."""
        import onnx

        zero_point = self._numbers(node)[1]
        value.type.tensor_type.elem_type = onnx.helper.np_dtype_to_tensor_dtype(zero_point.dtype)
        # What was inferred of the tensors between holds no longer; it is inferred again at load.
        del self._graph.value_info[:]
        return AffineQuantization(zero_point.dtype.name, *self._scale(node))
