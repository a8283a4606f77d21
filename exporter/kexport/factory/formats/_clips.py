"""The smaller of a tensor and a number, then the larger of that and a number: one Clip, for one pass over the tensor.

TensorFlow has no such operation since it is compiled, and clips so. NaN stays NaN in both.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

_OTHER = {"Max": "Min", "Min": "Max"}


def clips(model: Any) -> None:
    """Change the main graph of a model of opset 13 or later."""
    graph = model.graph
    numbers = {tensor.name: value for tensor in graph.initializer if (value := _number(tensor)) is not None}
    makers = {name: node for node in graph.node for name in node.output}
    uses = Counter(name for node in graph.node for name in node.input)
    public = {value.name for value in graph.output} | _used_inside(graph)
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


def _number(tensor: Any) -> float | None:
    """The value of a constant without axes that is a real number."""
    import onnx

    if list(tensor.dims) or tensor.data_type != onnx.TensorProto.FLOAT:
        return None
    return float(onnx.numpy_helper.to_array(tensor))


def _bound(node: Any, numbers: dict[str, float]) -> tuple[str, str] | None:
    """The tensor and the number that a node compares."""
    if node.op_type not in _OTHER or len(node.input) != 2:
        return None
    known = [name in numbers for name in node.input]
    if known.count(True) != 1:
        return None
    return (node.input[0], node.input[1]) if known[1] else (node.input[1], node.input[0])


def _used_inside(graph: Any) -> set[str]:
    """Names that the graphs of nodes use."""
    found: set[str] = set()
    for node in graph.node:
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                found |= {name for each in inner.node for name in each.input} | _used_inside(inner)
                found |= {value.name for value in inner.output}
    return found
