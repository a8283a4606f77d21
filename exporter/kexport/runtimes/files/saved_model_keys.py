"""The keys of the tables in a SavedModel, read without TensorFlow.

Keys are constants of the graph, which reach a table as the arguments of a function that fills it, or lines of a file:
so each constant that can be one is taken for one. The fields are those of TensorFlow's protocol buffers: SavedModel
{2 meta_graphs}, MetaGraphDef {2 graph_def}, GraphDef {1 node, 2 library}, FunctionDefLibrary {1 function}, FunctionDef
{3 node_def}, NodeDef {1 name, 2 op, 3 input, 5 attr}, AttrValue {8 tensor}, TensorProto {1 dtype, 2 tensor_shape,
4 tensor_content, 7 int_val, 8 string_val, 10 int64_val}.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kexport.runtimes.files.keys import ANY, FileKeys, Keys
from kexport.runtimes.files.onnx import content_of, messages, words
from kexport.runtimes.soundness.flaw import FlawError
from kexport.runtimes.soundness.protobuf import Bytes, fields, integers

_TABLES = ("HashTable", "LookupTable", "InitializeTable", "MutableHashTable", "AnonymousHashTable")
_STORING = ("Save", "Restore", "MergeV2Checkpoints", "ShardedFilename", "Assert", "StringJoin")
_TEXT, _INT32, _INT64 = 7, 3, 9
_LARGEST_FILE = 1 << 24  # bytes of a vocabulary


@dataclass(frozen=True)
class _Node:
    name: str
    kind: str
    inputs: list[str]
    value: Bytes = b""


def keys(path: Path) -> FileKeys:
    """What any input of a SavedModel may meet; nothing where it cannot be read."""
    found = Keys()
    try:
        scopes = list(_scopes(path / "saved_model.pb"))
        for nodes in scopes:
            _collect(nodes, found)
        tables = any(node.kind.startswith(_TABLES) for nodes in scopes for node in nodes)
        if tables:
            for file in sorted((path / "assets").glob("*")):
                if file.is_file() and file.stat().st_size <= _LARGEST_FILE:
                    found.add(file.read_text(errors="surrogateescape").splitlines())
        else:
            found.numbers.clear()  # a size, an axis
    except (FlawError, OSError, ValueError):
        return {}  # loading it tells
    return {ANY: found}


def _collect(nodes: list[_Node], found: Keys) -> None:
    """Add what the constants of one function may be keys of."""
    stored = {_producer(each) for node in nodes if node.kind.startswith(_STORING) for each in node.inputs}
    for node in nodes:
        if node.kind == "Const" and node.name not in stored:
            found.add(_constant(node.value))


def _producer(edge: str) -> str:
    return edge.removeprefix("^").split(":")[0]


def _scopes(path: Path) -> Iterator[list[_Node]]:
    """The nodes of the graph, and of each function."""
    for number, meta in messages(content_of(path)):
        for graph in (value for n, value in messages(meta) if number == 2 and n == 2):
            parts = list(messages(graph))
            yield [_node(value) for n, value in parts if n == 1]
            for library in (value for n, value in parts if n == 2):
                for function in (value for n, value in messages(library) if n == 1):
                    yield [_node(value) for n, value in messages(function) if n == 3]


def _node(content: Bytes) -> _Node:
    parts = list(messages(content))
    name, kind = (next((words(value) for number, value in parts if number == n), "") for n in (1, 2))
    value: Bytes = b""
    if kind == "Const":
        for entry in (dict(messages(part)) for number, part in parts if number == 5):
            if bytes(entry.get(1, b"")) == b"value":
                value = dict(messages(entry.get(2, b""))).get(8, b"")
    return _Node(name, kind, [words(part) for number, part in parts if number == 3], value)


def _constant(tensor: Bytes) -> list[float | str]:
    """The texts of a constant, or its integers where it is a list of several."""
    parts = list(fields(tensor, "a constant"))
    kind = next((value for number, value in parts if number == 1), 0)
    if kind == _TEXT:
        return [
            bytes(value).decode(errors="surrogateescape") for n, value in parts if n == 8 and not isinstance(value, int)
        ]
    if kind not in (_INT32, _INT64):
        return []
    content = next((value for number, value in parts if number == 4 and not isinstance(value, int)), b"")
    found = [each for n, value in parts if n in (7, 10) for each in integers(value, "a constant")]
    return [int(each) for each in found or np.frombuffer(content, "<i4" if kind == _INT32 else "<i8")]
