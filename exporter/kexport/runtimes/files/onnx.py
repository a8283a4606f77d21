"""Versions, operators and further files of an ONNX file.

The fields are those of onnx.proto: ModelProto {1 ir_version, 2 producer_name, 3 producer_version, 7 graph,
8 opset_import, 25 functions}, OperatorSetIdProto {1 domain, 2 version}, GraphProto {1 node, 5 initializer},
NodeProto {2 output, 4 op_type, 5 attribute, 7 domain}, FunctionProto {7 node}, AttributeProto {5 t, 6 g, 10 tensors,
11 graphs}, TensorProto {13 external_data}, StringStringEntryProto {1 key, 2 value}. They are parsed here because the
onnx package, which serves to write models, is not installed on a device.
"""

from __future__ import annotations

import collections
import mmap
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from kexport.bundle.regular_files import resolved
from kexport.runtimes.soundness.flaw import FlawError
from kexport.runtimes.soundness.protobuf import Bytes, fields, text

#: The key of the metadata of a model that say how its integer inputs and outputs stand for real numbers.
QUANTIZATION = "kexport.quantization"
_STANDARD = ("", "ai.onnx")


@dataclass
class _Contents:
    """What the nodes and tensors of a model say: operators with their number, their outputs, files of weights."""

    operators: collections.Counter[str] = field(default_factory=collections.Counter)
    computed_by: dict[str, str] = field(default_factory=dict)
    locations: dict[str, None] = field(default_factory=dict)
    _inner: list[Bytes] = field(default_factory=list)  # graphs within graphs, which may be deep, for later

    def graph(self, content: Bytes) -> None:
        for number, value in messages(content):
            if number == 1:
                self.node(value)
            elif number == 5:
                self.tensor(value)

    def inner_graphs(self) -> None:
        """Read the graphs that attributes of nodes hold."""
        while self._inner:
            self.graph(self._inner.pop())

    def node(self, content: Bytes) -> None:
        parts = list(messages(content))
        kind, domain = (next((words(value) for number, value in parts if number == n), "") for n in (4, 7))
        operator = kind if domain in _STANDARD else f"{domain}:{kind}"
        self.operators[operator] += 1
        for number, value in parts:
            if number == 2:
                self.computed_by.setdefault(words(value), operator)
            elif number == 5:
                self.attribute(value)

    def attribute(self, content: Bytes) -> None:
        for number, value in messages(content):
            if number in (5, 10):
                self.tensor(value)
            elif number in (6, 11):
                self._inner.append(value)

    def tensor(self, content: Bytes) -> None:
        for number, value in messages(content):
            entry = dict(messages(value)) if number == 13 else {}
            if 2 in entry and bytes(entry.get(1, b"")) == b"location":
                self.locations.setdefault(text(entry[2], "the file of a tensor"))


def words(value: int | Bytes) -> str:
    """A text to be shown, in whatever encoding it is: onnxruntime takes names that are no UTF-8."""
    return str(value) if isinstance(value, int) else bytes(value).decode(errors="replace")


def details(path: Path) -> dict[str, object]:
    """Opset, IR version, producer, and how often the model uses each operator, in branches and functions too.

    Raises:
        FlawError: the file is not a protocol buffer message.
    """
    ir_version: int | None = None
    opsets: dict[str, int | None] = {}
    producer: list[str] = []
    for number, value in fields(content_of(path), "the model"):
        if isinstance(value, int):
            ir_version = value if number == 1 else ir_version
        elif number in (2, 3):
            producer += words(value).split()[:1]
        elif number == 8:
            opset = dict(fields(value, "an opset"))
            version = opset.get(2)
            opsets[words(opset.get(1, b"")) or "ai.onnx"] = version if isinstance(version, int) else None
    return {
        "opset": opsets,
        "ir_version": ir_version,
        "producer": " ".join(producer),
        "ops": dict(sorted(_contents(path).operators.items())),
    }


def computed_by(path: Path) -> dict[str, str]:
    """The operator that computes each tensor."""
    return _contents(path).computed_by


def beside(path: Path) -> list[Path]:
    """The files beside the model that hold its weights; those that are missing, or lie elsewhere, are left out."""
    try:
        locations = _contents(path).locations
    except (FlawError, OSError, ValueError):
        return []  # the check of the file's structure tells
    files = []
    for location in locations:
        try:
            file = Path(resolved(path.parent / location, path.parent))
            if file.is_file():
                files.append(file)
        except OSError:  # no file has such a name
            continue
    return sorted(set(files))


def _contents(path: Path) -> _Contents:
    contents = _Contents()
    for number, value in messages(content_of(path)):
        if number == 7:
            contents.graph(value)
        elif number == 25:
            for part, node in messages(value):
                if part == 7:
                    contents.node(node)
    contents.inner_graphs()
    return contents


def content_of(path: Path) -> memoryview:
    """The bytes of a file, read where they are needed."""
    with path.open("rb") as file:
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def messages(content: Bytes) -> Iterator[tuple[int, Bytes]]:
    """The fields that are no numbers."""
    for number, value in fields(content, "a part of the model"):
        if not isinstance(value, int):
            yield number, value
