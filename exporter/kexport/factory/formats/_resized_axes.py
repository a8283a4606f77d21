"""Linear resizing behind a transposition: one axis after the other.

onnxruntime moves a transposition behind a `Resize` where that saves another one. Its linear kernel takes two scales for
neighbouring axes alone, the last two or those before the last; where others come of the move, the file cannot be
loaded. A scale for one axis it takes wherever that is.
Source: onnxruntime, `core/providers/cpu/tensor/upsamplebase.h` (`ScalesValidation`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from kexport.factory.formats._onnx_graphs import with_inner
from kexport.factory.graph.onnx_protocols import OnnxGraph, OnnxModel, OnnxNode

_NEIGHBOURS = ({1, 2}, {2, 3})  # axes of two scales that the kernel takes
_ELEMENTWISE = {
    "Abs", "Add", "Cast", "Clip", "Elu", "Exp", "HardSigmoid", "Identity", "LeakyRelu", "Log", "Mul", "Neg", "Relu",
    "Selu", "Sigmoid", "Softplus", "Sub", "Tanh",
}  # fmt: skip
_FAR = 16  # operators


def resized_axes(model: OnnxModel) -> None:
    """Change each such node, in branches and bodies too."""
    for graph in with_inner(model.graph):
        makers = {name: node for node in graph.node for name in node.output}
        constants: dict[str, Any] = {tensor.name: tensor for tensor in graph.initializer}
        nodes: list[OnnxNode] = []
        for node in graph.node:
            apart = _is_linear(node) and _comes_apart(node, makers)
            nodes += _one_by_one(node, graph, constants) if apart else [node]
        del graph.node[:]
        graph.node.extend(nodes)


def _is_linear(node: OnnxNode) -> bool:
    import onnx

    modes = [onnx.helper.get_attribute_value(each) for each in node.attribute if each.name == "mode"]
    return node.op_type == "Resize" and modes == [b"linear"]


def _comes_apart(node: OnnxNode, makers: Mapping[str, OnnxNode]) -> bool:
    """Whether a transposition before a node would take its last two axes apart."""
    axes, name = [0, 1, 2, 3], node.input[0]
    for _ in range(_FAR):
        before = makers.get(name)
        if before is None or before.op_type not in {"Transpose", *_ELEMENTWISE}:
            return False
        perms = [list(each.ints) for each in before.attribute if each.name == "perm"]
        if perms and len(perms[0]) == len(axes):
            axes = [perms[0][axis] for axis in axes]
            if set(axes[2:]) not in _NEIGHBOURS:
                return True
        name = before.input[0]
    return False


def _one_by_one(node: OnnxNode, graph: OnnxGraph, constants: Mapping[str, Any]) -> Iterator[OnnxNode]:
    """Two nodes in place of one, the first for the height; the node itself where its scales are not of two axes."""
    import onnx

    x, roi, scales, *sizes = node.input
    stored = constants.get(scales)
    known = [] if stored is None else onnx.numpy_helper.to_array(stored).tolist()
    if not sizes and (len(known) != 4 or known[:2] != [1, 1] or 1 in known[2:]):
        yield node
        return
    name = f"{node.output[0]}/apart"
    if sizes:
        places = {f"{name}/{place}": np.array([place]) for place in (0, 3, 4)}
        first, third, fourth = places
        graph.initializer.extend(onnx.numpy_helper.from_array(place, key) for key, place in places.items())
        yield onnx.helper.make_node("Shape", [x], [f"{name}/shape"])
        yield onnx.helper.make_node("Slice", [f"{name}/shape", third, fourth], [f"{name}/width"])
        yield onnx.helper.make_node("Slice", [sizes[0], first, third], [f"{name}/others"])
        yield onnx.helper.make_node("Concat", [f"{name}/others", f"{name}/width"], [f"{name}/sizes"], axis=0)
        given = [[scales, f"{name}/sizes"], [scales, sizes[0]]]
    else:
        factors = {f"{name}/height": [1, 1, known[2], 1], f"{name}/width": [1, 1, 1, known[3]]}
        graph.initializer.extend(
            onnx.numpy_helper.from_array(np.array(each, np.float32), key) for key, each in factors.items()
        )
        given = [[key] for key in factors]
    for source, further, result in zip((x, name), given, (name, node.output[0]), strict=True):
        made = onnx.NodeProto()
        made.CopyFrom(node)
        made.name, made.output[0] = result, result
        del made.input[:]
        made.input.extend([source, roi, *further])
        yield made
