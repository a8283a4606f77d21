"""Names and order of the inputs and outputs of a TFLite file, which the manifest gives and the converter loses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from kexport.bundle.signature import Signature


class FlatTensor(Protocol):
    """A tensor of a graph (`TensorT` of TFLite's schema)."""

    name: bytes
    shape: Any
    shapeSignature: Any  # noqa: N815  the schema's name
    type: int
    hasRank: bool  # noqa: N815  the schema's name
    buffer: int


class FlatGraph(Protocol):
    """A graph (`SubGraphT` of TFLite's schema)."""

    tensors: list[FlatTensor]
    operators: list[Any]
    inputs: Sequence[int]
    outputs: Sequence[int]


class FlatModel(Protocol):
    """A model (`ModelT` of TFLite's schema)."""

    subgraphs: list[FlatGraph]
    operatorCodes: list[object]  # noqa: N815  the schema's name
    signatureDefs: list[Any]  # noqa: N815  the schema's name
    buffers: list[object]


def with_public_names(content: bytes, signature: Signature, in_order: bool = True) -> bytes:
    """The file with the names of the manifest.

    Args:
        content: the content of the file.
        signature: the signature of the manifest.
        in_order: whether inputs and outputs have the order of the signature; else they have its names.
    """
    from tensorflow.lite.tools import flatbuffer_utils

    model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
    if not in_order:
        _order_by_signature(model, signature)
    _use_public_names(model, signature)
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


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
        copied = index not in computed or index in indices
        indices.append(_copied(model, graph, index) if copied else index)
    return indices


def _copied(model: FlatModel, graph: FlatGraph, index: int) -> int:
    """Append an operator that copies the tensor: a CAST to the dtype that it has. The index of the copy."""
    from tensorflow.lite.python import schema_py_generated as schema

    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CAST
    code.version = 1
    model.operatorCodes = [*(model.operatorCodes or ()), code]
    original = graph.tensors[index]
    copy = schema.TensorT()
    copy.shape, copy.shapeSignature, copy.type = original.shape, original.shapeSignature, original.type
    copy.hasRank, copy.buffer = original.hasRank, len(model.buffers)
    model.buffers = [*model.buffers, schema.BufferT()]
    graph.tensors = [*graph.tensors, copy]
    options = schema.CastOptionsT()
    options.inDataType = options.outDataType = original.type
    operator = schema.OperatorT()
    operator.opcodeIndex = len(model.operatorCodes) - 1
    operator.inputs, operator.outputs = [index], [len(graph.tensors) - 1]
    operator.builtinOptionsType, operator.builtinOptions = schema.BuiltinOptions.CastOptions, options
    graph.operators = [*(graph.operators or ()), operator]
    return len(graph.tensors) - 1
