"""A TFLite file as objects of its schema, and back; codes of operators, and an operator that copies a tensor."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, Protocol


class FlatTensor(Protocol):
    """A tensor of a graph (`TensorT` of TFLite's schema)."""

    name: bytes
    shape: Any
    shapeSignature: Any  # noqa: N815  the schema's name
    type: int
    hasRank: bool  # noqa: N815  the schema's name
    buffer: int
    quantization: Any
    isVariable: bool  # noqa: N815  the schema's name


class FlatGraph(Protocol):
    """A graph (`SubGraphT` of TFLite's schema)."""

    tensors: list[FlatTensor]
    operators: list[Any]
    inputs: Sequence[int]
    outputs: Sequence[int]


class FlatModel(Protocol):
    """A model (`ModelT` of TFLite's schema)."""

    subgraphs: list[FlatGraph]
    operatorCodes: list[Any]  # noqa: N815  the schema's name
    signatureDefs: list[Any]  # noqa: N815  the schema's name
    buffers: list[Any]


def parsed(content: bytes) -> Any:
    """The model (`ModelT`) that a file holds."""
    from tensorflow.lite.tools import flatbuffer_utils

    return flatbuffer_utils.read_model_from_bytearray(bytearray(content))


def packed(model: Any) -> bytes:
    """The file that holds a model."""
    from tensorflow.lite.tools import flatbuffer_utils

    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def operator_code(model: FlatModel, kind: str, version: int = 1) -> int:
    """The index of the code of a built-in operator in this version; a new one where the file has none."""
    from tensorflow.lite.python import schema_py_generated as schema

    code = schema.OperatorCodeT()
    code.builtinCode = getattr(schema.BuiltinOperator, kind)
    code.deprecatedBuiltinCode = min(code.builtinCode, schema.BuiltinOperator.PLACEHOLDER_FOR_GREATER_OP_CODES)
    code.version = version
    codes = list(model.operatorCodes or ())
    for index, each in enumerate(codes):
        if (each.builtinCode, each.deprecatedBuiltinCode, each.version) == (
            code.builtinCode, code.deprecatedBuiltinCode, version,
        ):  # fmt: skip
            return index
    model.operatorCodes = [*codes, code]
    return len(codes)


def derived_tensor(graph: FlatGraph, index: int) -> int:
    """The index of a copy of a tensor that is added, with a name of its own, and the same buffer."""
    own = copy.copy(graph.tensors[index])
    own.name = (own.name or b"") + b"/%d" % len(graph.tensors)
    graph.tensors = [*graph.tensors, own]
    return len(graph.tensors) - 1


def copy_of(model: FlatModel, graph: FlatGraph, index: int) -> tuple[object, int]:
    """An operator that copies a tensor, a CAST to the dtype that it has, for the caller to insert; the copy's index."""
    from tensorflow.lite.python import schema_py_generated as schema

    original = graph.tensors[index]
    twin = schema.TensorT()
    twin.shape, twin.shapeSignature, twin.type = original.shape, original.shapeSignature, original.type
    twin.hasRank, twin.buffer = original.hasRank, len(model.buffers)
    model.buffers = [*model.buffers, schema.BufferT()]
    graph.tensors = [*graph.tensors, twin]
    options = schema.CastOptionsT()
    options.inDataType = options.outDataType = original.type
    operator = schema.OperatorT()
    operator.opcodeIndex = operator_code(model, "CAST")
    operator.inputs, operator.outputs = [index], [len(graph.tensors) - 1]
    operator.builtinOptionsType, operator.builtinOptions = schema.BuiltinOptions.CastOptions, options
    return operator, len(graph.tensors) - 1
