"""The steps of an ONNX file.

Fields of onnx.proto beside those in `onnx.py` and `onnx_keys.py`: GraphProto {12 output}, AttributeProto {
13 doc_string, 20 type, 21 ref_attr_name}, TensorProto {4 float_data, 9 raw_data, 10 double_data, 12 doc_string}.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from kexport.bundle.regular_files import resolved
from kexport.runtimes.files.onnx import content_of, messages, words
from kexport.runtimes.files.stored_graph import (
    Digest,
    StoredConstant,
    StoredGraph,
    StoredOperator,
    TensorNumbers,
    digest_of,
)
from kexport.runtimes.soundness.flaw import FlawError
from kexport.runtimes.soundness.protobuf import Bytes, fields, integers

_TENSOR, _GRAPHS = 5, (6, 11)
_NO_VALUE = (1, 13, 20, 21)  # fields of an attribute
_FLOATS, _NAME, _RAW, _DOUBLES, _TOLD, _EXTERNAL = 4, 8, 9, 10, 12, 13


class _Reading:
    """The steps that have been read so far.

    Args:
        folder: where the files of weights lie.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.numbers = TensorNumbers()
        self.steps: list[StoredOperator] = []
        self.constants: dict[int, StoredConstant] = {}

    def graph(self, content: Bytes, owner: int | None) -> list[str]:
        """Read a graph; gives the names of its outputs."""
        parts = list(messages(content))
        for number, value in parts:
            if number == 11:
                self.numbers[_named(value, 1)]
        for number, value in parts:
            if number == _TENSOR:
                name = _named(value, _NAME)
                self.constants[self.numbers[name]] = self._tensor(value, name)
        for number, value in parts:
            if number == 1:
                self.node(value, owner)
        return [_named(value, 1) for number, value in parts if number == 12]

    def node(self, content: Bytes, owner: int | None) -> None:
        """Read an operator, and the graphs within it."""
        parts = list(messages(content))
        kind = next((words(value) for number, value in parts if number == 4), "")
        given, made = ([words(value) for number, value in parts if number == n] for n in (1, 2))
        inputs = tuple(self.numbers[name] for name in given if name)
        settings: dict[str, Digest] = {}
        index = len(self.steps)
        self.steps.append(
            StoredOperator(kind, inputs, tuple(self.numbers[name] for name in made if name), settings, owner)
        )
        attributes = [value for number, value in parts if number == 5]
        if kind == "Constant" and made:
            stored = [each for value in attributes for number, each in messages(value) if number == _TENSOR]
            if stored:
                self.constants[self.numbers[made[0]]] = self._tensor(stored[0], made[0])
                return
        for value in attributes:
            self._attribute(value, index, settings)

    def _attribute(self, content: Bytes, owner: int, settings: dict[str, Digest]) -> None:
        name, values = "", []
        for number, value in fields(content, "an attribute"):
            if number == 1:
                name = words(value)
            elif number == _TENSOR and not isinstance(value, int):
                constant = self._tensor(value)
                values.append(digest_of(constant.shape, constant.digest))
            elif number in _GRAPHS and not isinstance(value, int):
                outputs = self.graph(value, owner)
                self.steps.append(StoredOperator("", tuple(self.numbers[each] for each in outputs), (), {}, owner))
            elif number not in _NO_VALUE:
                values.append(digest_of(number, value))
        if values:
            settings[name] = digest_of(*values)

    def _tensor(self, content: Bytes, name: str = "") -> StoredConstant:
        """A tensor, with the digest of its numbers as they lie in memory, wherever they are stored."""
        parts: list[object] = []
        shape: list[int] = []
        entries: dict[str, str] = {}
        for number, value in fields(content, "a tensor"):
            if number == _EXTERNAL and not isinstance(value, int):
                entry = dict(messages(value))
                entries[words(entry.get(1, b""))] = words(entry.get(2, b""))
            elif number == 1:
                shape += integers(value, "the shape of a tensor")
            elif number in (_FLOATS, _RAW, _DOUBLES):
                parts.append(value)
            elif number not in (_NAME, _TOLD):
                parts += [number, value]
        if "location" in entries:
            parts.append(self._stored(entries))
        return StoredConstant(name, digest_of(*parts), tuple(shape))

    def _stored(self, entries: Mapping[str, str]) -> Bytes:
        """The numbers that lie in a file beside the model."""
        content = content_of(Path(resolved(self._folder / entries["location"], self._folder)))
        start = int(entries.get("offset", "0") or 0)
        return content[start : start + int(entries["length"])] if "length" in entries else content[start:]


def graph(path: Path, signature: str = "") -> StoredGraph | None:
    """The operators of an ONNX file, which holds one graph; None where it cannot be read."""
    reading = _Reading(path.parent)
    outputs: dict[str, int] = {}
    try:
        for number, value in messages(content_of(path)):
            if number == 7:
                outputs |= {name: reading.numbers[name] for name in reading.graph(value, None)}
            elif number == 25:
                return None  # a function of the file's own may be called from many places
    except (FlawError, OSError, ValueError, RecursionError):
        return None  # the check of the file's structure tells
    return StoredGraph(reading.steps, reading.constants, outputs)


def _named(content: Bytes, field: int) -> str:
    """The text in a field of a message."""
    return next((words(value) for number, value in messages(content) if number == field), "")
