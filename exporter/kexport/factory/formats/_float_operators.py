"""The operators that compute in float in a file whose arithmetic should be that of integers: read from the file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from kexport.factory.emit.trail import Trail, layer_of
from kexport.factory.formats._onnx_integers import MOVING
from kexport.factory.graph.onnx_protocols import OnnxGraph
from kexport.runtimes.files import tflite
from kexport.runtimes.files.protocols import TfliteModel

_BETWEEN = ("QUANTIZE", "DEQUANTIZE")
_FLOATS = ("FLOAT16", "FLOAT32", "FLOAT64", "BFLOAT16")
_BETWEEN_ONNX = ("QuantizeLinear", "DequantizeLinear")
#: Operators of ONNX that compute no floats.
_NOT_COMPUTING = frozenset((*_BETWEEN_ONNX, *MOVING, "Shape", "Constant", "ConstantOfShape"))


def of_tflite(model: TfliteModel, layer: Callable[[str], str]) -> list[dict[str, str]]:
    """The operators of a TFLite file with floats among their operands, each with the layer that it comes from.

    Args:
        model: the file.
        layer: the layer that computes a tensor of a name, in words.
    """
    types = tflite.numbered(tflite.schema().TensorType)
    found = []
    for graph in model.subgraphs:
        for kind, operator in tflite.operators_of(model, graph):
            outputs = [graph.tensors[index] for index in operator.outputs if index >= 0]
            operands = [*outputs, *(graph.tensors[index] for index in operator.inputs if index >= 0)]
            if kind not in _BETWEEN and any(types[tensor.type] in _FLOATS for tensor in operands):
                name = (outputs[0].name or b"").decode() if outputs else ""
                found.append({"op": kind, "layer": layer(name)})
    return found


def integer_layers_of_onnx(path: Path, trail: Trail) -> list[str]:
    """The layers of which some operator computes in integers, in the order of the file, in words."""
    import onnx

    graph = onnx.shape_inference.infer_shapes(onnx.load(path), data_prop=False).graph
    floats = {name for _, name in _in_float(graph)}
    computing = [node.name or node.output[0] for node in graph.node if node.op_type not in _NOT_COMPUTING]
    return [*dict.fromkeys(layer_of(name, trail.scopes) for name in computing if name not in floats)]


def of_onnx(path: Path, trail: Trail) -> list[dict[str, str]]:
    """The operators of an ONNX file that take or return floats which are not those of integers (QDQ), likewise.

    Runtimes compute an operator in integers where `DequantizeLinear` makes its operands and `QuantizeLinear` takes its
    results, and in float otherwise.
    """
    import onnx

    model = onnx.shape_inference.infer_shapes(onnx.load(path), data_prop=False)
    return [_entry(kind, name, trail) for kind, name in _in_float(model.graph)]


def _in_float(graph: OnnxGraph) -> Iterator[tuple[str, str]]:
    real = _real_tensors(graph)
    dequantized = {name for node in graph.node if node.op_type == "DequantizeLinear" for name in node.output}
    users: dict[str, list[str]] = {value.name: ["an output"] for value in graph.output}
    for node in graph.node:
        for name in node.input:
            users.setdefault(name, []).append(node.op_type)
    for node in graph.node:
        if node.op_type in _NOT_COMPUTING:
            continue
        taken = all(name in dequantized for name in node.input if name in real)
        given = all(set(users.get(name, ())) == {"QuantizeLinear"} for name in node.output if name in real)
        if not (taken and given):
            yield node.op_type, node.name or node.output[0]


def _real_tensors(graph: OnnxGraph) -> set[str]:
    """The tensors that hold floats; of which the type was not inferred, too."""
    import onnx

    floats = {getattr(onnx.TensorProto, name) for name in ("FLOAT", "FLOAT16", "DOUBLE", "BFLOAT16")}
    known = {value.name: value.type.tensor_type.elem_type for value in (*graph.input, *graph.output, *graph.value_info)}
    known |= {tensor.name: tensor.data_type for tensor in graph.initializer}
    names = {name for node in graph.node for name in (*node.input, *node.output) if name} | set(known)
    return {name for name in names if known.get(name, onnx.TensorProto.FLOAT) in floats}


def _entry(kind: str, name: str, trail: Trail) -> dict[str, str]:
    return {"op": kind, "layer": layer_of(name, trail.scopes)}
