"""What occurs on inputs where there is nothing to differentiate: keys of vocabularies, bins, branches of conditions."""

from __future__ import annotations

import copy
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any, Protocol

import numpy as np

from kexport.bundle.adequacy_entry import MOST_NUMBERS, Standing, Unseen
from kexport.bundle.signature import Array, TensorSpec
from kexport.code_places import is_user_code
from kexport.factory.adequacy.graph_values import fetch_of
from kexport.factory.adequacy.traced_weights import ancestors
from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.trace.program import Program

_CONDITIONS = ("If", "StatelessIf")
_CHOICES = ("Select", "SelectV2")
_WHERE = "Where"  # the class of keras.ops.where between layers
_CALLED = ("where", "where_v2")
_WRAPPING = re.compile(r"(traceback_utils|dispatch|numpy_dispatch|tf_decorator)\.py$")
_INSIDE = re.compile(r"[/\\](tensorflow|keras[/\\]src[/\\](backend|ops|utils))[/\\]")
_NEAR = 0.01  # of the scale of the edges
_MOST_ELEMENTS = 1 << 14  # of an input that is filled with keys


class Watched(Protocol):
    """Something discrete in the model, with what of it has occurred so far."""

    name: str

    @property
    def is_silent(self) -> bool:
        """Whether nothing of it has occurred."""
        ...

    def add(self, values: Array) -> None:
        """Look at the values that reach it on one more input."""
        ...

    def missing(self) -> Unseen | None:
        """What of it has not occurred; None if all of it has."""
        ...

    def pool(self) -> Array:
        """Values that would reach all of it."""
        ...


@dataclass
class _Vocabulary:
    name: str
    keys: list[int | str]
    seen: set[int | str] = field(default_factory=set)

    @property
    def is_silent(self) -> bool:
        return not self.seen

    def add(self, values: Array) -> None:
        if len(self.seen) < len(self.keys):
            self.seen |= set(np.unique(values).tolist()).intersection(self.keys)

    def missing(self) -> Unseen | None:
        absent = [key for key in self.keys if key not in self.seen]
        if not absent:
            return None
        why, listed = "they do not occur on these inputs", tuple(absent[:MOST_NUMBERS])
        return Unseen(self.name, Standing.PARTIAL, why, "entries", listed, len(absent), len(self.keys))

    def pool(self) -> Array:
        return np.array(self.keys)


@dataclass
class _Bins:
    name: str
    edges: Array
    below: Array = field(init=False)
    above: Array = field(init=False)
    low: float = np.inf
    high: float = -np.inf

    def __post_init__(self) -> None:
        self.below, self.above = np.zeros(len(self.edges), bool), np.zeros(len(self.edges), bool)

    @property
    def is_silent(self) -> bool:
        crossed = (self.low < self.edges) & (self.high >= self.edges)
        return not crossed.any()

    @property
    def near(self) -> float:
        """How far from an edge a value may be to show that it moves by a hundredth."""
        return _NEAR * float(np.abs(self.edges).max(initial=0.0)) or _NEAR

    def add(self, values: Array) -> None:
        finite = np.sort(values[np.isfinite(values)].astype(np.float64).ravel())
        if not finite.size:
            return
        self.low, self.high = min(self.low, float(finite[0])), max(self.high, float(finite[-1]))
        at = np.searchsorted(finite, self.edges)  # the first value that is not below the edge
        left, right = finite[np.maximum(at - 1, 0)], finite[np.minimum(at, len(finite) - 1)]
        self.below |= (left < self.edges) & (self.edges - left <= self.near)
        self.above |= (right >= self.edges) & (right - self.edges <= self.near)

    def missing(self) -> Unseen | None:
        absent = np.flatnonzero(~(self.below & self.above))
        if not absent.size:
            return None
        numbers = tuple(int(index) for index in absent[:MOST_NUMBERS])
        why = "no value lies close enough on both sides to show that they move by a hundredth"
        return Unseen(self.name, Standing.PARTIAL, why, "edges", numbers, len(absent), len(self.edges))

    def pool(self) -> Array:
        edges = self.edges.astype(np.float32)
        return np.concatenate([edges - np.float32(self.near / 2), np.nextafter(edges, np.float32(-np.inf)), edges])


@dataclass
class _Branches:
    name: str
    taken: set[bool] = field(default_factory=set)

    @property
    def is_silent(self) -> bool:
        return False

    def add(self, values: Array) -> None:
        self.taken |= set(np.unique(values).astype(bool).tolist())

    def missing(self) -> Unseen | None:
        if len(self.taken) != 1:
            return None
        always = str(*self.taken).lower()
        return Unseen(self.name, Standing.PARTIAL, f"the condition is always {always}", "one branch", (), 1, 2)

    def pool(self) -> Array:
        return np.zeros(0)


class Occurrences:
    """Everything discrete at the top of the traced graph.

    Args:
        program: the traced model.
    """

    def __init__(self, program: Program) -> None:
        found = list(_watched(program))
        self.watched: list[Watched] = [each for each, _ in found]
        self._fetch = fetch_of(program, [tensor for _, tensor in found]) if found else None

    def copy(self) -> Occurrences:
        """The same, which learns apart."""
        other = copy.copy(self)
        other.watched = copy.deepcopy(self.watched)
        return other

    def add(self, inputs: Sequence[Tensor]) -> None:
        """Look at one more call."""
        if self._fetch is not None:
            for each, values in zip(self.watched, self._fetch(inputs), strict=True):
                each.add(values)

    @property
    def silent(self) -> list[str]:
        """The names of the vocabularies and bins of which nothing has occurred."""
        return [each.name for each in self.watched if each.is_silent]

    @property
    def one_sided(self) -> list[str]:
        """The names of the conditions that have always had the same value."""
        return [each.name for each in self.watched if isinstance(each, _Branches) and each.missing() is not None]

    @property
    def unseen(self) -> list[Unseen]:
        """What has not occurred."""
        return [missing for each in self.watched if (missing := each.missing()) is not None]

    def suggestions(self, specs: Sequence[TensorSpec]) -> Iterator[tuple[str, str, Array]]:
        """Names of what has not occurred, each with an input and values of it that may reach it."""
        for each in self.watched:
            values = each.pool()
            if each.missing() is None or not values.size:
                continue
            for spec in specs:
                if (fitting := _fitting(values, spec)) is not None:
                    yield each.name, spec.name, fitting


def _fitting(values: Array, spec: TensorSpec) -> Array | None:
    """The values in the dtype of an input; None where it cannot hold them."""
    text, kind = values.dtype.kind == "U", spec.numpy_dtype.kind
    if text != (kind == "U") or kind == "b":
        return None
    if text:
        return values
    if kind in "iu":
        bounds = np.iinfo(spec.numpy_dtype)
        whole = np.unique(np.floor(values)) if values.dtype.kind == "f" else values
        return whole[(whole >= bounds.min) & (whole <= bounds.max)].astype(spec.numpy_dtype)
    return values.astype(spec.numpy_dtype)


def _watched(program: Program) -> Iterator[tuple[Watched, Tensor]]:
    """Everything that is watched, with the tensor that reaches it."""
    vocabularies = dict(_vocabularies(program))
    chosen: Counter[str] = Counter()
    for operation in program.core.graph.get_operations():
        if operation.type == "LookupTableFindV2":
            outer = _captured(program, operation.inputs[0])
            if id(outer) in vocabularies:
                name, keys = vocabularies[id(outer)]
                yield _Vocabulary(f"{name}/vocabulary", keys), operation.inputs[1]
        elif operation.type == "Bucketize":
            edges = np.asarray(operation.get_attr("boundaries"), np.float64)
            if edges.size:
                yield _Bins(f"{_layer(program, operation)}/bin_boundaries", edges), operation.inputs[0]
        elif operation.type in _CONDITIONS and operation.inputs[0].shape.rank == 0:
            yield _Branches(f"{_layer(program, operation)}/condition"), operation.inputs[0]
        elif operation.type in _CHOICES and _is_users_choice(program, operation):
            chosen[_layer(program, operation)] += 1
            again = chosen[_layer(program, operation)]
            name = f"{_layer(program, operation)}/where" + f"_{again}" * (again > 1)
            yield _Branches(name), operation.inputs[0]


def _is_users_choice(program: Program, operation: Operation) -> bool:
    """Whether a choice by the data was written by the user: not a guard inside of Keras, nor one between constants."""
    outer = [frame for frame in reversed(getattr(operation, "traceback", ())) if not _WRAPPING.search(frame.filename)]
    inside = list(takewhile(lambda frame: _INSIDE.search(frame.filename), outer))
    called = inside[-1].name if inside else ""  # by the code around TensorFlow and the functions of Keras
    around = outer[len(inside)].filename if len(outer) > len(inside) else ""
    if not (called in _CALLED and is_user_code(around)) and f"({_WHERE})" not in _words(program, operation):
        return False
    inputs = {tensor.op.name for tensor in program.core.graph.inputs[: len(program.signature.inputs)]}
    return bool(inputs & ancestors([operation.inputs[0].op]))


def _captured(program: Program, inner: Tensor) -> object:
    while inner.op.type == "Identity":
        inner = inner.op.inputs[0]
    return next((outer for outer, each in program.core.graph.captures if each is inner), None)


def _layer(program: Program, operation: Operation) -> str:
    """The name of the layer whose scope an operation is in, or the operation's own."""
    quoted = re.search("'([^']+)'", _words(program, operation))
    return quoted[1] if quoted else operation.name


def _words(program: Program, operation: Operation) -> str:
    """The layer or operation whose scope an operation is in, in words; empty if there is none."""
    around = [scope for scope in program.scopes if operation.name.startswith(f"{scope}/")]
    return program.scopes[max(around, key=len)] if around else ""


def _vocabularies(program: Program) -> Iterator[tuple[int, tuple[str, list[int | str]]]]:
    """By the id of the handle of each lookup table: the layer's name, and its keys."""
    for layer in program.model._flatten_layers():
        table: Any = getattr(layer, "lookup_table", None)
        read: Any = getattr(layer, "get_vocabulary", None)
        if table is None or read is None or not hasattr(table, "resource_handle"):
            continue
        keys: Sequence[Any] = read(include_special_tokens=False)
        if getattr(layer, "invert", False):
            keys = range(len(read()))
        plain: list[int | str] = [key if isinstance(key, str) else int(key) for key in keys]
        if plain:
            yield id(table.resource_handle), (layer.name, plain)


def filled(shape: tuple[int, ...], values: Array) -> Array:
    """An array of this shape, with more samples where the values need them, that holds all of them in turn."""
    each = max(1, int(np.prod(shape[1:])))
    rows = max(shape[0] if shape else 1, min(-(-len(values) // each), max(1, _MOST_ELEMENTS // each)))
    whole = (rows, *shape[1:]) if shape else ()
    return np.resize(values, whole)
