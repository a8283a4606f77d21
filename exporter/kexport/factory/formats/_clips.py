"""A Min and a Max with numbers, one after the other, as one Clip: one pass over the tensor instead of two.

TensorFlow clips with Minimum and Maximum, as it has no operation for it. NaN stays NaN in both.
"""

from __future__ import annotations

from collections import Counter

from kexport.factory.formats._onnx_graphs import names_used_inside
from kexport.factory.graph.onnx_protocols import OnnxModel, OnnxNode, OnnxTensor

_OTHER = {"Max": "Min", "Min": "Max"}


def clips(model: OnnxModel) -> None:
    """Change the main graph of a model of opset 13 or later."""
    graph = model.graph
    numbers = {tensor.name: value for tensor in graph.initializer if (value := _number(tensor)) is not None}
    makers = {name: node for node in graph.node for name in node.output}
    uses = Counter(name for node in graph.node for name in node.input)
    public = {value.name for value in graph.output}.union(*map(names_used_inside, graph.node))
    removed = []
    for node in graph.node:
        outer = _bound(node, numbers)
        if outer is None:
            continue
        before = makers.get(outer[0])
        inner = None if before is None else _bound(before, numbers)
        if (
            before is None
            or inner is None
            or before.op_type != _OTHER[node.op_type]
            or uses[outer[0]] > 1
            or outer[0] in public
        ):
            continue
        low, high = (outer[1], inner[1]) if node.op_type == "Max" else (inner[1], outer[1])
        if numbers[low] <= numbers[high]:
            node.op_type = "Clip"
            node.input[:] = [inner[0], low, high]
            removed.append(before)
    for before in removed:
        graph.node.remove(before)


def _number(tensor: OnnxTensor) -> float | None:
    """The value of a constant without axes that is a real number."""
    import onnx

    if list(tensor.dims) or tensor.data_type != onnx.TensorProto.FLOAT:
        return None
    return float(onnx.numpy_helper.to_array(tensor))


def _bound(node: OnnxNode, numbers: dict[str, float]) -> tuple[str, str] | None:
    """The tensor and the number that a node compares."""
    if node.op_type not in _OTHER or len(node.input) != 2:
        return None
    constant = [name in numbers for name in node.input]
    if constant.count(True) != 1:
        return None
    return (node.input[0], node.input[1]) if constant[1] else (node.input[1], node.input[0])
