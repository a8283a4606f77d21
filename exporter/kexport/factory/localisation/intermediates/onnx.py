"""ONNX: any tensor of the main graph becomes an output by being declared as one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from kexport.factory.graph.onnx_protocols import OnnxAttribute, OnnxGraph, OnnxModel, OnnxNode
from kexport.factory.localisation.intermediates._exposure import ArtifactTensor, Exposure


def _tensors(path: Path) -> Iterator[ArtifactTensor]:
    model = _model(path)
    constants = {each.name for each in model.graph.initializer}
    outputs = {each.name for each in model.graph.output}
    for node in model.graph.node:
        if node.op_type == "Constant":
            constants.update(node.output)
            continue
        inputs = [name for name in node.input if name]
        captured = [name for attribute in node.attribute for name in _captured(attribute)]
        for name in filter(None, node.output):
            yield ArtifactTensor(
                key=name,
                names=tuple(dict.fromkeys((name.removesuffix(":0"), *([node.name] if len(node.output) == 1 else [])))),
                operator=node.op_type,
                inputs=tuple(each for each in (*inputs, *captured) if each not in constants),
                constants=tuple(each.removesuffix(":0") for each in inputs if each in constants),
                output=name if name in outputs else "",
            )


def _captured(attribute: OnnxAttribute) -> Iterator[str]:
    """The tensors that the graph in an attribute, such as the body of a loop, takes from the graph around it."""
    for graph in (attribute.g, *attribute.graphs):
        inner = {name for node in graph.node for name in node.output} | {each.name for each in graph.input}
        inner |= {each.name for each in graph.initializer}
        for node in graph.node:
            yield from (name for name in node.input if name and name not in inner)


def _expose(path: Path, keys: Sequence[str], alone: bool, target: Path) -> None:
    import onnx

    model = _model(path)
    if alone:
        del model.graph.output[:]
        needed = _needed(model.graph, set(keys))
        del model.graph.node[:]
        model.graph.node.extend(needed)
    declared = {each.name for each in model.graph.output}
    # An output without a type gets the one that the runtime infers.
    model.graph.output.extend(onnx.ValueInfoProto(name=key) for key in keys if key not in declared)
    target.write_bytes(model.SerializeToString())
    for tensor in model.graph.initializer:
        for entry in tensor.external_data:
            if entry.key == "location" and not (target.parent / entry.value).exists():
                _link(path.parent / entry.value, target.parent / entry.value)


def _needed(graph: OnnxGraph, wanted: set[str]) -> list[OnnxNode]:
    """The nodes that compute the tensors, in order: a runtime checks even nodes whose result nothing takes."""
    needed = []
    for node in reversed(graph.node):
        if wanted & set(node.output):
            needed.append(node)
            wanted |= {*node.input, *(name for attribute in node.attribute for name in _captured(attribute))}
    return needed[::-1]


def _link(source: Path, target: Path) -> None:
    """Give a file a second name; copy it where the file system has no hard links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _model(path: Path) -> OnnxModel:
    import onnx

    return onnx.load(str(path), load_external_data=False)


EXPOSURE = Exposure(format="onnx", tensors=_tensors, expose=_expose, modules=("onnx",))
