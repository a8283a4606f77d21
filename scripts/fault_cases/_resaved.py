"""The same graph in other bytes: what must not be called faulty."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from fault_cases._tflite_graph import TfliteGraph


def resave(path: Path, format_name: str, seed: int) -> None:
    """Write an ONNX or TFLite file anew: nodes, constants and buffers in another order."""
    {"onnx": _onnx, "tflite": _tflite}[format_name](path, np.random.default_rng(seed))


def _onnx(path: Path, rng: np.random.Generator) -> None:
    """Nodes in another topological order, initializers in any, and numbers as a list instead of bytes, or back."""
    import onnx
    from onnx import numpy_helper

    model = onnx.load(path)
    graph = model.graph
    constants = [_other_form(tensor, numpy_helper) for tensor in graph.initializer]
    del graph.initializer[:]
    graph.initializer.extend(constants[index] for index in rng.permutation(len(constants)))
    known = {"", *(value.name for value in graph.input), *(tensor.name for tensor in graph.initializer)}
    waiting, ordered = list(graph.node), []
    while waiting:
        ready = [node for node in waiting if _needs(node) <= known]
        node = ready[int(rng.integers(len(ready)))]
        waiting.remove(node)
        ordered.append(node)
        known.update(node.output)
    del graph.node[:]
    graph.node.extend(ordered)
    onnx.save(model, path)


def _needs(node: Any) -> set[str]:
    """All names that a node takes; those of its subgraphs, which see the outer ones, too."""
    names = set(node.input)
    for attribute in node.attribute:
        for graph in (attribute.g, *attribute.graphs):
            inner = {"", *(value.name for value in graph.input), *(tensor.name for tensor in graph.initializer)}
            inner |= {name for other in graph.node for name in other.output}
            names |= {name for other in graph.node for name in _needs(other)} - inner
            names |= {value.name for value in graph.output} - inner
    return names


def _other_form(tensor: Any, numpy_helper: Any) -> Any:
    from onnx import helper

    values = numpy_helper.to_array(tensor)
    if tensor.HasField("raw_data") and values.dtype in (np.float32, np.int32, np.int64):
        return helper.make_tensor(tensor.name, tensor.data_type, tensor.dims, values.ravel().tolist())
    return numpy_helper.from_array(values, tensor.name)


def _tflite(path: Path, rng: np.random.Generator) -> None:
    """Buffers, tensors of each subgraph, and operator codes in any order."""
    file = TfliteGraph(path)
    model = file.model
    # The first buffer is the empty one, by the format's own rule.
    buffers = np.concatenate([[0], 1 + rng.permutation(len(model.buffers) - 1)])
    places = _places(buffers)
    model.buffers = [model.buffers[index] for index in buffers]
    for entry in model.metadata or ():
        entry.buffer = int(places[entry.buffer])
    codes = rng.permutation(len(model.operatorCodes))
    model.operatorCodes = [model.operatorCodes[index] for index in codes]
    code_places = _places(codes)
    for number, graph in enumerate(model.subgraphs):
        tensors = rng.permutation(len(graph.tensors))
        own = _places(tensors)
        graph.tensors = [graph.tensors[index] for index in tensors]
        for tensor in graph.tensors:
            tensor.buffer = int(places[tensor.buffer])
        graph.inputs, graph.outputs = _moved(graph.inputs, own), _moved(graph.outputs, own)
        for operator in graph.operators or ():
            operator.opcodeIndex = int(code_places[operator.opcodeIndex])
            operator.inputs, operator.outputs = _moved(operator.inputs, own), _moved(operator.outputs, own)
            if operator.intermediates is not None:
                operator.intermediates = _moved(operator.intermediates, own)
        for signature in model.signatureDefs or ():
            if signature.subgraphIndex == number:
                for item in (*signature.inputs, *signature.outputs):
                    item.tensorIndex = int(own[item.tensorIndex])
    file.save()


def _places(order: Any) -> Any:
    """Where each old index is now."""
    places = np.empty(len(order), int)
    places[order] = np.arange(len(order))
    return places


def _moved(indices: Any, places: Any) -> list[int]:
    return [int(places[index]) if index >= 0 else int(index) for index in indices]
