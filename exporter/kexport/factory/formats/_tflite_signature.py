"""Names and order of the inputs and outputs of a TFLite file, which the manifest gives and the converter loses."""

from __future__ import annotations

from collections.abc import Sequence

from kexport.bundle.signature import Signature
from kexport.factory.formats._tflite_model import FlatGraph, FlatModel, copy_of


def use_public_names(model: FlatModel, signature: Signature, in_order: bool = True) -> None:
    """Give a file the names of the manifest.

    Args:
        model: the content of the file.
        signature: the signature of the manifest.
        in_order: whether inputs and outputs have the order of the signature; else they have its names.
    """
    if not in_order:
        _order_by_signature(model, signature)
    _use_public_names(model, signature)


def _order_by_signature(model: FlatModel, signature: Signature) -> None:
    """Give the graph's inputs and outputs, which a SavedModel has by name, the order of the manifest."""
    entry, graph = model.signatureDefs[0], model.subgraphs[model.signatureDefs[0].subgraphIndex]
    for side, specs in (("inputs", signature.inputs), ("outputs", signature.outputs)):
        by_name = {item.name.decode(): int(item.tensorIndex) for item in getattr(entry, side)}
        setattr(graph, side, [by_name[spec.name] for spec in specs])


def _use_public_names(model: FlatModel, signature: Signature) -> None:
    """Name and order the graph's inputs and outputs as the manifest does, and declare them as its signature.

    The converter keeps the order that it was given, but writes no signature for a graph.
    """
    from tensorflow.lite.python import schema_py_generated as schema

    graph = model.subgraphs[0]
    entry = schema.SignatureDefT()
    entry.signatureKey = b"serving_default"
    entry.subgraphIndex = 0
    entry.inputs = _named(graph, list(graph.inputs), [spec.name for spec in signature.inputs])
    outputs = _distinct(model, graph)
    entry.outputs = _named(graph, outputs, [spec.name for spec in signature.outputs])
    graph.outputs = outputs
    model.signatureDefs = [entry]


def _named(graph: FlatGraph, indices: Sequence[int], names: Sequence[str]) -> list[object]:
    from tensorflow.lite.python import schema_py_generated as schema

    maps = []
    for index, name in zip(indices, names, strict=True):
        graph.tensors[index].name = name.encode()
        item = schema.TensorMapT()
        item.name, item.tensorIndex = name.encode(), int(index)
        maps.append(item)
    return maps


def _distinct(model: FlatModel, graph: FlatGraph) -> list[int]:
    """The outputs, each a tensor of its own: what is also an input, a constant or another output is copied."""
    computed = {int(index) for operator in graph.operators or () for index in operator.outputs}
    indices: list[int] = []
    for index in map(int, graph.outputs):
        if index not in computed or index in indices:
            copying, index = copy_of(model, graph, index)
            graph.operators = [*(graph.operators or ()), copying]
        indices.append(index)
    return indices
