"""Versions and operators of an ONNX file.

The fields are those of onnx.proto: ModelProto {1 ir_version, 2 producer_name, 3 producer_version, 7 graph,
8 opset_import}, OperatorSetIdProto {1 domain, 2 version}, GraphProto {1 node}, NodeProto {4 op_type}. They are parsed
here because the onnx package, which serves to write models, is not installed on a device.
"""

from __future__ import annotations

import collections
from collections.abc import Iterator
from pathlib import Path


def details(path: Path) -> dict[str, object]:
    """Opset, IR version, producer, and how often the main graph uses each operator.

    Raises:
        ValueError: the file is not a protocol buffer message.
    """
    ir_version: int | bytes | None = None
    opsets: dict[str, int | bytes | None] = {}
    producer: list[str] = []
    operators: collections.Counter[str] = collections.Counter()
    for field, value in _fields(path.read_bytes()):
        if field == 1:
            ir_version = value
        elif field in (2, 3) and isinstance(value, bytes) and value:
            producer.append(_text(value).split()[0])
        elif field == 7 and isinstance(value, bytes):
            operators.update(_operators(value))
        elif field == 8 and isinstance(value, bytes):
            opset = dict(_fields(value))
            opsets[_text(opset.get(1, b"")) or "ai.onnx"] = opset.get(2)
    return {
        "opset": opsets,
        "ir_version": ir_version,
        "producer": " ".join(producer),
        "ops": dict(sorted(operators.items())),
    }


def _operators(graph: bytes) -> Iterator[str]:
    for field, node in _fields(graph):
        if field == 1 and isinstance(node, bytes):
            yield from (_text(value) for field, value in _fields(node) if field == 4)


def _text(value: int | bytes) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a protocol buffer message: varints as numbers, the rest as bytes."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        kind = key & 7
        if kind == 0:
            value, at = _varint(message, at)
            yield key >> 3, value
            continue
        length, at = (8, at) if kind == 1 else (4, at) if kind == 5 else _varint(message, at)
        if at + length > len(message):
            raise ValueError("a field reaches beyond the end of the file")
        yield key >> 3, message[at : at + length]
        at += length


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(message):
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
    raise ValueError("a number reaches beyond the end of the file")
