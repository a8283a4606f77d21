"""TFLite with built-in operators only: no runtime that devices install runs Flex operators."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from kexport.bundle.signature import Signature
from kexport.errors import ExportError
from kexport.factory.emit import handover as handovers
from kexport.factory.emit.emission import emit
from kexport.factory.emit.refusal import refusal
from kexport.factory.formats._format import Format
from kexport.runtimes.files import tflite

_LARGEST = 2**31 - 1  # bytes: a flatbuffer's offsets are signed and of 32 bits


def convert(handover: str, target: str, options: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Convert a handed-over program; yields the details once.

    Raises:
        ExportError: the model needs an operation that TFLite has no built-in operator for, or is too large.
    """
    import tensorflow as tf

    folder = Path(handover)
    program = handovers.read(folder)
    if program.weight_bytes > _LARGEST:
        raise ExportError(
            "the model cannot be written as tflite: it is too large",
            got=f"{program.weight_bytes / 1e9:.1f} GB of weights",
            expected="less than 2.1 GB, the most that a flatbuffer holds",
            hint="build --formats without tflite",
        )
    pinned: dict[str, Any] = {}
    if program.assigned:
        content = _public(_keeping_state(folder / handovers.STATEFUL, program), program)
    else:
        content, pinned = _dynamic_or_pinned(program)
    _refuse_foreign(content, program)
    Path(target).write_bytes(content)
    yield {"tensorflow": tf.__version__, **tflite.details(Path(target)), **pinned}


def _dynamic_or_pinned(program: handovers.Handover) -> tuple[bytes, dict[str, Any]]:
    """The file; where TFLite refuses a dynamic batch, one for a batch of 1, and what the manifest says of that."""
    try:
        return _public(_converted(program), program), {}
    except ExportError as refused:
        pinned = _pinned(program.signature)
        if pinned is None:
            raise
        try:
            content = _public(_converted(replace(program, signature=pinned)), program)
        except ExportError:
            raise refused from None
        return content, {"pinned": {"batch": 1}}


def _pinned(signature: Signature) -> Signature | None:
    """The signature with a batch of 1; None where not every input and output has a dynamic batch."""
    sides = (signature.inputs, signature.outputs)
    if not all(spec.shape and spec.shape[0] is None for side in sides for spec in side):
        return None
    return Signature(*(tuple(replace(spec, shape=(1, *spec.shape[1:])) for spec in side) for side in sides))


def _public(content: bytes, program: handovers.Handover) -> bytes:
    """The file with the names of the manifest."""
    from tensorflow.lite.tools import flatbuffer_utils

    model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
    if program.assigned:
        _order_by_signature(model, program.signature)
    _use_public_names(model, program.signature)
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def _converted(program: handovers.Handover) -> bytes:
    import tensorflow as tf

    emitted = emit(program, "tflite")
    converter = tf.compat.v1.lite.TFLiteConverter(
        emitted.graph.as_graph_def(), list(emitted.inputs), list(emitted.outputs)
    )
    return _run(converter, program)


def _keeping_state(saved_model: Path, program: handovers.Handover) -> bytes:
    """The file of a model that keeps state: its variables are TFLite's resource variables."""
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_saved_model(str(saved_model), signature_keys=["serving_default"])
    converter.experimental_enable_resource_variables = True
    return _run(converter, program)


def _run(converter: Any, program: handovers.Handover) -> bytes:
    import tensorflow as tf

    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    converter.canonicalizing_inf_as_min_max_float = False  # by default an infinite constant becomes the largest number
    try:
        content: bytes = converter.convert()
    except Exception as error:  # the converter's own exception type is private to it
        raise _refusal(str(error), program) from error
    return content


def _refusal(message: str, program: handovers.Handover) -> ExportError:
    """The converter prints each operation that it lacks as `<unknown>:0: error: loc(...): 'tf.X' op ...`."""
    found = []
    for line in message.splitlines():
        kind = re.search(r"'(?:tf|tfl)\.(\w+)' op", line)
        places = re.findall(r'"([^"]+)"', line)
        if kind and "error" in line:
            found.append((kind[1], max(places, key=lambda place: place.count("/"), default="")))
    if not found:
        found = [(kind, "") for kind in re.findall(r"^\s*tf\.(\w+)\(", message, re.MULTILINE)]
    if not found:
        first = next((line for line in message.splitlines() if "error:" in line), message.strip().split("\n")[0])
        return ExportError("the model cannot be written as tflite", got=first[:300])
    return refusal("tflite", "TFLite has no built-in operator for an operation", found, program.scopes)


def _refuse_foreign(content: bytes, program: handovers.Handover) -> None:
    """Refuse a file that holds Flex or custom operators: the runtimes of devices do not run them."""
    foreign = tflite.foreign_operators(content)
    if foreign:
        raise refusal("tflite", "the file would need operators that are not built in", foreign, program.scopes)


def _order_by_signature(model: Any, signature: Signature) -> None:
    """Give the graph's inputs and outputs, which a SavedModel has by name, the order of the manifest."""
    entry, graph = model.signatureDefs[0], model.subgraphs[model.signatureDefs[0].subgraphIndex]
    for side, specs in (("inputs", signature.inputs), ("outputs", signature.outputs)):
        by_name = {item.name.decode(): int(item.tensorIndex) for item in getattr(entry, side)}
        setattr(graph, side, [by_name[spec.name] for spec in specs])


def _use_public_names(model: Any, signature: Signature) -> None:
    """Name and order the graph's inputs and outputs as the manifest does, and declare them as its signature.

    The converter keeps the order that it was given, but writes no signature for a graph.
    """
    from tensorflow.lite.python import schema_py_generated as schema

    graph = model.subgraphs[0]
    entry = schema.SignatureDefT()
    entry.signatureKey = b"serving_default"
    entry.subgraphIndex = 0
    entry.inputs = _named(graph, list(graph.inputs), [spec.name for spec in signature.inputs], schema)
    outputs = _distinct(model, graph, schema)
    entry.outputs = _named(graph, outputs, [spec.name for spec in signature.outputs], schema)
    graph.outputs = outputs
    model.signatureDefs = [entry]


def _named(graph: Any, indices: Sequence[int], names: Sequence[str], schema: Any) -> list[Any]:
    maps = []
    for index, name in zip(indices, names, strict=True):
        graph.tensors[index].name = name.encode()
        item = schema.TensorMapT()
        item.name, item.tensorIndex = name.encode(), int(index)
        maps.append(item)
    return maps


def _distinct(model: Any, graph: Any, schema: Any) -> list[int]:
    """The outputs, each a tensor of its own: what is also an input, a constant or another output is copied."""
    made = {int(index) for operator in graph.operators or () for index in operator.outputs}
    indices: list[int] = []
    for index in map(int, graph.outputs):
        copied = index not in made or index in indices
        indices.append(_copied(model, graph, index, schema) if copied else index)
    return indices


def _copied(model: Any, graph: Any, index: int, schema: Any) -> int:
    """Append an operator that copies the tensor: a CAST to the dtype that it has. The index of the copy."""
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


FORMAT = Format(
    name="tflite",
    path="model.tflite",
    summary="TFLite flatbuffer, built-in operators only",
    rank=40,
    converter="kexport.factory.formats.tflite:convert",
    keeps_state=True,
    expected="TFLite's built-in operators",
)
