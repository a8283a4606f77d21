"""A SavedModel without what tells one save from the next: numbers and order of functions, and a random identifier."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kexport.factory.graph import function_names
from kexport.factory.graph.function_names import NewNames
from kexport.factory.graph.protocols import GraphDef

_GRAPHS, _FINGERPRINT = "saved_model.pb", "fingerprint.pb"
_SHARED, _FILLER = "shared_name", "key_value_init"


def make_repeatable(folder: Path) -> None:
    """Number the functions of a SavedModel anew, and derive its identifier from its content."""
    from tensorflow.core.protobuf import saved_model_pb2

    saved = saved_model_pb2.SavedModel.FromString((folder / _GRAPHS).read_bytes())
    for meta_graph in saved.meta_graphs:
        objects = meta_graph.object_graph_def
        names = function_names.renumber(meta_graph.graph_def, _called(objects))
        _number_tables(meta_graph.graph_def)
        _rename(objects, names)
    content = saved.SerializeToString(deterministic=True)
    (folder / _GRAPHS).write_bytes(content)
    if (folder / _FINGERPRINT).exists():
        (folder / _FINGERPRINT).write_bytes(_fingerprint(folder, content))


def _fingerprint(folder: Path, content: bytes) -> bytes:
    """TensorFlow's fingerprint of a SavedModel, which holds a random identifier: here it is a digest."""
    from tensorflow.core.protobuf import fingerprint_pb2
    from tensorflow.python.saved_model import fingerprinting_utils

    fingerprinting_utils.write_fingerprint(str(folder))
    fingerprint = fingerprint_pb2.FingerprintDef.FromString((folder / _FINGERPRINT).read_bytes())
    fingerprint.uuid = str(int.from_bytes(hashlib.sha256(content).digest()[:16], "big"))
    written: bytes = fingerprint.SerializeToString(deterministic=True)
    return written


def _called(objects: Any) -> Iterator[str]:
    """The names of the functions that the objects of a `SavedObjectGraph` have."""
    for node in objects.nodes:
        yield from node.function.concrete_functions
        yield node.bare_concrete_function.concrete_function_name


def _number_tables(graph_def: GraphDef) -> None:
    """Number lookup tables, and what fills them, which TensorFlow does in a count of the process."""
    from google.protobuf import text_format

    tables: dict[bytes, int] = {}
    fillers: dict[str, str] = {}
    for nodes in (graph_def.node, *(function.node_def for function in graph_def.library.function)):
        for node in nodes:
            if _SHARED in node.attr and (name := node.attr[_SHARED].s).isdigit():
                node.attr[_SHARED].s = str(tables.setdefault(name, len(tables))).encode()
    for function in graph_def.library.function:
        if any(_FILLER in node.name for node in function.node_def):
            text = re.sub(
                rf"{_FILLER}\d+",
                lambda match: fillers.setdefault(match[0], f"{_FILLER}{len(fillers)}"),
                text_format.MessageToString(function),
            )
            function.CopyFrom(text_format.Parse(text, type(function)()))


def _rename(objects: Any, new: NewNames) -> None:
    names = new.functions
    for node in objects.nodes:
        kind = node.WhichOneof("kind")
        if kind == "function":
            node.function.concrete_functions[:] = [names[name] for name in node.function.concrete_functions]
        elif kind == "bare_concrete_function":
            function = node.bare_concrete_function
            function.concrete_function_name = names[function.concrete_function_name]
        elif kind == "captured_tensor":
            captured = node.captured_tensor  # inside of a function; what a custom gradient needs, for one
            source, colon, place = captured.name.partition(":")
            renamed = new.arguments.get(captured.concrete_function, {}).get(source, source)
            captured.name = f"{renamed}{colon}{place}"
            captured.concrete_function = names[captured.concrete_function]
    functions = dict(objects.concrete_functions)
    copies = {name: type(function).FromString(function.SerializeToString()) for name, function in functions.items()}
    objects.concrete_functions.clear()
    for name, function in copies.items():
        objects.concrete_functions[names[name]].CopyFrom(function)
