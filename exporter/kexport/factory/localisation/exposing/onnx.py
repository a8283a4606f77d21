"""ONNX: any tensor of the main graph becomes an output by being declared one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from kexport.factory.localisation.exposing._exposure import Exposure, Tensor


def _tensors(path: Path) -> Iterator[Tensor]:
    model = _model(path)
    constants = {each.name for each in model.graph.initializer}
    outputs = {each.name for each in model.graph.output}
    for node in model.graph.node:
        if node.op_type == "Constant":
            constants.update(node.output)
            continue
        taken = [name for name in node.input if name]
        inside = [name for attribute in node.attribute for name in _captured(attribute)]
        for name in filter(None, node.output):
            yield Tensor(
                key=name,
                names=tuple(dict.fromkeys((name.removesuffix(":0"), *([node.name] if len(node.output) == 1 else [])))),
                operator=node.op_type,
                inputs=tuple(each for each in (*taken, *inside) if each not in constants),
                constants=tuple(each.removesuffix(":0") for each in taken if each in constants),
                output=name if name in outputs else "",
            )


def _captured(attribute: Any) -> Iterator[str]:
    """What the graph in an attribute, the body of a loop for one, takes from outside."""
    for graph in (attribute.g, *attribute.graphs):
        made = {name for node in graph.node for name in node.output} | {each.name for each in graph.input}
        made |= {each.name for each in graph.initializer}
        for node in graph.node:
            yield from (name for name in node.input if name and name not in made)


def _expose(path: Path, keys: Sequence[str], alone: bool, target: Path) -> None:
    import onnx

    model = _model(path)
    if alone:
        del model.graph.output[:]
        kept = _needed(model.graph, set(keys))
        del model.graph.node[:]
        model.graph.node.extend(kept)
    there = {each.name for each in model.graph.output}
    # An output without a type has the one that the runtime infers.
    model.graph.output.extend(onnx.ValueInfoProto(name=key) for key in keys if key not in there)
    target.write_bytes(model.SerializeToString())
    for tensor in model.graph.initializer:
        for entry in tensor.external_data:
            if entry.key == "location" and not (target.parent / entry.value).exists():
                _beside(path.parent / entry.value, target.parent / entry.value)


def _needed(graph: Any, wanted: set[str]) -> list[Any]:
    """The nodes that the tensors are made by, in order: a runtime checks even nodes that nothing takes."""
    kept = []
    for node in reversed(graph.node):
        if wanted & set(node.output):
            kept.append(node)
            wanted |= {*node.input, *(name for attribute in node.attribute for name in _captured(attribute))}
    return kept[::-1]


def _beside(source: Path, target: Path) -> None:
    """The same file under another name; a copy where the file system has no links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _model(path: Path) -> Any:
    import onnx

    return onnx.load(str(path), load_external_data=False)


EXPOSURE = Exposure(format="onnx", tensors=_tensors, expose=_expose)
