"""The keys of tables and the thresholds of trees in an ONNX file, by the input that meets them.

The operators are those of ai.onnx.ml, whose keys are attributes, and comparisons with constants. Further fields of
onnx.proto than those in `onnx.py`: NodeProto {1 input}, AttributeProto {1 name, 3 i, 7 floats, 8 ints, 9 strings},
GraphProto {11 input}, ValueInfoProto {1 name, 2 type}, TensorProto {1 dims, 2 data_type, 6 string_data, 8 name}.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from kexport.runtimes.files.keys import ANY, FileKeys, Keys
from kexport.runtimes.files.onnx import content_of, messages, words
from kexport.runtimes.soundness.flaw import FlawError
from kexport.runtimes.soundness.onnx_tensors import numbers
from kexport.runtimes.soundness.protobuf import Bytes, fields, integers

_KEYS = {
    "LabelEncoder": ("keys_int64s", "keys_strings", "keys_floats", "keys_tensor"),
    "CategoryMapper": ("cats_int64s", "cats_strings"),
    "OneHotEncoder": ("cats_int64s", "cats_strings"),
    "TfIdfVectorizer": ("pool_int64s", "pool_strings"),
    "StringNormalizer": ("stopwords",),
}
_TREES = {
    "TreeEnsembleClassifier": ("nodes_values", "nodes_values_as_tensor"),
    "TreeEnsembleRegressor": ("nodes_values", "nodes_values_as_tensor"),
    "TreeEnsemble": ("nodes_splits",),
}
_COMPARING = ("Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual")
#: What hands its first input on, each number as it is; of these, features keep their places through the first ones.
_KEEPING = ("Identity", "Cast")
_HANDING = (*_KEEPING, "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Slice", "Split", "Concat", "Expand",
            "Gather", "ArrayFeatureExtractor", "StringNormalizer", "FeatureVectorizer")  # fmt: skip
_TEXT = 8
_DEEPEST, _MOST_LOOKED_AT = 200, 20_000  # nodes between an input and a tree: a file may name one in each of many others


@dataclass
class _Node:
    kind: str
    inputs: list[str]
    outputs: list[str]
    attributes: dict[str, Bytes] = field(default_factory=dict)

    def values(self, name: str) -> list[float | str]:
        """The numbers or texts of an attribute; none where it has none."""
        if name not in self.attributes:
            return []
        found: list[float | str] = []
        for number, value in fields(self.attributes[name], "an attribute"):
            if number == 7 and not isinstance(value, int):
                found += np.frombuffer(value, "<f4").tolist()
            elif number == 8:
                found += integers(value, "an attribute")
            elif number == 9 and not isinstance(value, int):
                found.append(_text(value))
            elif number == 5 and not isinstance(value, int):
                found += _tensor(value)
        return found


class _Graph:
    """The nodes of a file, whatever graph they are in, and its constants."""

    def __init__(self, path: Path) -> None:
        self.nodes: list[_Node] = []
        self.constants: dict[str, Bytes] = {}
        self.inputs: dict[str, tuple[int, ...]] = {}
        self._inner: list[Bytes] = []
        self._looked_at = 0
        for number, value in messages(content_of(path)):
            if number == 7:
                self._graph(value)
                self.inputs |= dict(_input(each) for part, each in messages(value) if part == 11)
        while self._inner:
            self._graph(self._inner.pop())
        self.made_by = {name: node for node in self.nodes for name in node.outputs}

    def _graph(self, content: Bytes) -> None:
        for number, value in messages(content):
            if number == 1:
                self._node(value)
            elif number == 5:
                self.constants[next((words(part) for n, part in messages(value) if n == 8), "")] = value

    def _node(self, content: Bytes) -> None:
        parts = list(messages(content))
        kind = next((words(value) for number, value in parts if number == 4), "")
        given, made = ([words(value) for number, value in parts if number == n] for n in (1, 2))
        node = _Node(kind, given, made)
        for number, value in parts:
            if number == 5:
                inside = dict(messages(value))
                node.attributes[words(inside.get(1, b""))] = value
                self._inner += [part for n, part in messages(value) if n in (6, 11)]
        self.nodes.append(node)
        if kind == "Constant" and node.outputs and "value" in node.attributes:
            self.constants[node.outputs[0]] = dict(messages(node.attributes["value"])).get(5, b"")

    def feeding(self, name: str) -> Iterator[str]:
        """The inputs whose numbers come to a tensor as they are."""
        waiting, seen = [name], {name}
        while waiting:
            each = waiting.pop()
            if each in self.inputs:
                yield each
            node = self.made_by.get(each)
            if node is not None and node.kind in _HANDING:
                several = node.kind in ("Concat", "FeatureVectorizer")
                before = node.inputs if several else node.inputs[:1]
                if node.kind == "Gather" and node.inputs and node.inputs[0] in self.constants:
                    continue  # the rows of a table
                new = [each for each in before if each not in seen]
                waiting += new
                seen.update(new)

    def columns(self, name: str, first: int = 0, depth: int = 0) -> Iterator[tuple[str, int, int]]:
        """The inputs that become the features of a tensor: each with its first one there, and how many it has."""
        if name in self.inputs:
            yield name, first, self.inputs[name][-1] if self.inputs[name] else 0
            return
        node = self.made_by.get(name)
        self._looked_at += 1
        if node is None or depth > _DEEPEST or self._looked_at > _MOST_LOOKED_AT:
            return
        if node.kind in _KEEPING:
            yield from self.columns(node.inputs[0], first, depth + 1)
        elif node.kind in ("Concat", "FeatureVectorizer"):
            for each in node.inputs:
                parts = list(self.columns(each, first, depth + 1))
                if not parts or any(count < 1 for _, _, count in parts):
                    return
                yield from parts
                first = max(start + count for _, start, count in parts)


def keys(path: Path) -> FileKeys:
    """What the inputs of an ONNX file meet; nothing where it cannot be read."""
    try:
        return _keys(_Graph(path))
    except (FlawError, OSError, ValueError):
        return {}  # the check of the file's structure tells


def _keys(graph: _Graph) -> dict[str, Keys]:
    found: dict[str, Keys] = {}
    for node in graph.nodes:
        for attribute in _KEYS.get(node.kind, ()):
            _give(found, graph, node.inputs[:1], node.values(attribute))
        if node.kind in _COMPARING:
            for constant, other in (node.inputs[::-1], node.inputs):
                if constant in graph.constants and other not in graph.constants:
                    values = _tensor(graph.constants[constant])
                    for name in (ANY, *graph.feeding(other)) if _texts(values) else graph.feeding(other):
                        found.setdefault(name, Keys()).compare(values)
        if node.kind in _TREES:
            _plant(found, graph, node)
    return found


def _give(found: dict[str, Keys], graph: _Graph, names: list[str], values: list[float | str]) -> None:
    """Give keys to the inputs that meet them; texts, which no arithmetic changes, to any."""
    if _texts(values):
        found.setdefault(ANY, Keys()).add(values)
    for each in [each for name in names for each in graph.feeding(name)]:
        found.setdefault(each, Keys()).add(values)


def _texts(values: list[float | str]) -> bool:
    return any(isinstance(value, str) for value in values)


def _plant(found: dict[str, Keys], graph: _Graph, node: _Node) -> None:
    """Give the thresholds of a tree to the features that it compares."""
    values = [value for name in _TREES[node.kind] for value in node.values(name)]
    for value, feature in zip(values, node.values("nodes_featureids"), strict=False):
        for name, first, count in graph.columns(node.inputs[0]) if node.inputs else ():
            at = int(feature) - first
            if at >= 0 and (at < count or count < 1) and math.isfinite(float(value)):
                found.setdefault(name, Keys()).thresholds.setdefault(at, set()).add(float(value))


def _input(content: Bytes) -> tuple[str, tuple[int, ...]]:
    """The name and the sizes of an input; 0 for one that varies."""
    parts = dict(messages(content))
    tensor = dict(messages(parts.get(2, b""))).get(1, b"")
    shape = dict(messages(tensor)).get(2, b"")
    sizes: list[int] = []
    for number, dimension in messages(shape):
        if number == 1:
            size = dict(fields(dimension, "an axis")).get(1, 0)
            sizes.append(size if isinstance(size, int) else 0)
    return words(parts.get(1, b"")), tuple(sizes)


def _tensor(content: Bytes) -> list[float | str]:
    """The numbers or texts of a constant; none of those that are many."""
    parts = list(fields(content, "a tensor"))
    dims = tuple(size for number, value in parts if number == 1 for size in integers(value, "the sizes of a tensor"))
    kind = next((value for number, value in parts if number == 2), 0)
    if kind == _TEXT:
        return [_text(value) for number, value in parts if number == 6 and not isinstance(value, int)]
    found = numbers(dims, kind if isinstance(kind, int) else 0, content)
    return [] if found is None else np.asarray(found).ravel().tolist()


def _text(value: Bytes) -> str:
    return bytes(value).decode(errors="surrogateescape")
