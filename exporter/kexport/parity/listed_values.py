"""Inputs with every value that a domain lists, in as many batches as that takes.

A domain lists its values where they are few: the keys of a vocabulary, small integers, both sides of the edges of bins.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from kexport.bundle.domain import Domain, points_of
from kexport.bundle.signature import Array, TensorSpec
from kexport.parity.corner_inputs import Feeds, Fill, Shape
from kexport.parity.table_rows import MOST_TRIED, TableCells, TableRows

EVERY = "every value"
ALONE = "one value throughout each sample"
_MOST_BATCHES = 64
_BATCH_ELEMENTS, _ALL_ELEMENTS = 1 << 18, 1 << 22
_MANY = 1 << 12  # values; of more, a batch holds no more: what follows from them may take much memory
_ALONE_ELEMENTS = 1 << 16  # of all samples that hold one value each
_INDICES = (TableRows, TableCells)


@dataclass(frozen=True)
class _Listed:
    """The values of one input.

    Attributes:
        points: for each feature, or for all of them together.
        places: how many values of a feature one sample holds.
        elements: the size of a sample.
        steps: for each feature, in how many places one value comes before the next one does.
    """

    points: Sequence[Sequence[float | str]]
    places: int
    elements: int
    steps: Sequence[int] = ()

    @classmethod
    def of(cls, spec: TensorSpec, domain: Domain, length: int) -> _Listed:
        """The values that the domain of an input lists."""
        elements = math.prod(length if size is None else size for size in spec.shape[1:])
        indices = isinstance(domain, _INDICES)  # of which two, too, may have to meet with others
        points = [each if (len(each) > 1 if indices else _worth(each)) else () for each in points_of(domain)]
        return cls(points, max(1, elements // len(points)), max(1, elements))

    @property
    def count(self) -> int:
        """The number of values of the feature with most of them."""
        return max(map(len, self.points))

    def values(self, shape: Shape, first: int, drawn: Array, alone: bool) -> Array:
        """The values of a batch whose first sample has this number, in place of those drawn."""
        values = drawn.astype(object) if len(self.points) > 1 else drawn
        for index, points in enumerate(self.points):
            if not points:
                continue
            part = shape[:-1] if len(self.points) > 1 else shape
            step = 1 if alone or not self.steps else self.steps[index]
            chosen = _indices(part, first, self.places, alone) // step % len(points)
            picked: Array = np.asarray(points)[chosen]
            if len(self.points) == 1:
                return picked
            values[..., index] = picked
        return values


def of(
    inputs: Sequence[TensorSpec], domains: Mapping[str, Domain], batch: int, length: int
) -> Iterator[tuple[str, int, Fill]]:
    """A label, the size of the batch, and what fills it, for every batch of listed values.

    Args:
        inputs: the inputs; those that list nothing get random values.
        domains: one per input.
        batch: the least size of a batch, where that is dynamic.
        length: the size of other dynamic axes.
    """
    listed = {spec.name: _Listed.of(spec, domains[spec.name], length) for spec in inputs}
    named = {name: each for name, each in listed.items() if each.count}
    if not named:
        return
    named, combinations, _ = _meeting(named, domains)
    elements = sum(each.elements for each in listed.values())
    needed = max(math.ceil(max(each.count, combinations) / each.places) for each in named.values())
    yield from _batches(EVERY, needed, inputs, domains, named, batch, elements)
    several = {name: each for name, each in named.items() if each.places > 1}
    samples = max((each.count for each in several.values()), default=0)
    if several and samples * elements <= _ALONE_ELEMENTS:
        yield from _batches(ALONE, samples, inputs, domains, several, batch, elements)


def meet_all(specs: Sequence[TensorSpec], domains: Mapping[str, Domain]) -> bool:
    """Whether every index of these inputs is tried beside every one of the others."""
    listed = {spec.name: _Listed.of(spec, domains[spec.name], 1) for spec in specs}
    _, count, complete = _meeting(listed, domains)
    return complete and count <= min(map(room_for, specs), default=count)


def _meeting(named: Mapping[str, _Listed], domains: Mapping[str, Domain]) -> tuple[dict[str, _Listed], int, bool]:
    """The same, stepped so that all combinations of indices come; how many places that takes; whether all do come.

    Two inputs may hold the indices of one table; where there are too many for all to meet, those within one input do.
    """
    tables = {name: each for name, each in named.items() if isinstance(domains[name], _INDICES)}
    count = math.prod(max(1, len(points)) for each in tables.values() for points in each.points)
    together = count <= MOST_TRIED and len({each.places for each in tables.values()}) == 1
    stepped, step, most = dict(named), 1, 1
    for name, each in tables.items():
        step = step if together else 1
        steps = []
        for points in each.points:
            steps.append(step)
            step *= max(1, len(points))
        if step <= MOST_TRIED:
            stepped[name], most = replace(each, steps=steps), max(most, step)
    return stepped, most, together or not tables


def room_for(spec: TensorSpec) -> int:
    """How many values the batches of an input hold at least, however few places a sample has."""
    places = math.prod(size or 1 for size in spec.shape[1:])
    by_batch = spec.shape[0] if spec.shape else 1
    return _MOST_BATCHES * (_MANY if by_batch is None else by_batch * places)


def _batches(
    label: str,
    samples: int,
    inputs: Sequence[TensorSpec],
    domains: Mapping[str, Domain],
    listed: Mapping[str, _Listed],
    batch: int,
    elements: int,
) -> Iterator[tuple[str, int, Fill]]:
    fixed = [spec.shape[0] if spec.shape else 1 for spec in inputs if not spec.shape or spec.shape[0] is not None]
    many = samples > _MANY or max(each.count for each in listed.values()) > _MANY
    fitting = (_MANY if many else _BATCH_ELEMENTS) // elements
    size = max(fixed) if fixed else max(batch, min(samples, fitting))  # type: ignore[type-var]
    size = max(1, size or 1)
    count = min(math.ceil(samples / size), _MOST_BATCHES, max(1, _ALL_ELEMENTS // (size * elements)))
    for index in range(count):
        numbered = label if count == 1 else f"{label}, {index + 1} of {count}"
        yield numbered, size, _fill(inputs, domains, listed, index * size, label == ALONE)


def _fill(
    inputs: Sequence[TensorSpec],
    domains: Mapping[str, Domain],
    listed: Mapping[str, _Listed],
    first: int,
    alone: bool,
) -> Fill:
    def fill(rng: np.random.Generator, shapes: Mapping[str, Shape]) -> Feeds:
        feeds = {}
        for spec in inputs:
            shape = shapes[spec.name]
            values = domains[spec.name].sample(rng, shape)
            if spec.name in listed:
                values = listed[spec.name].values(shape, first, values, alone)
            feeds[spec.name] = np.asarray(values).astype(spec.numpy_dtype)
        return feeds

    return fill


def _indices(shape: Shape, first: int, places: int, alone: bool) -> Array:
    """The number of the value at each place."""
    if alone and shape:
        numbers = first + np.arange(shape[0])
        return np.broadcast_to(numbers.reshape(-1, *[1] * (len(shape) - 1)), shape)
    return np.asarray(first * places + np.arange(math.prod(shape)).reshape(shape))


def _worth(points: Sequence[float | str]) -> bool:
    """Whether other patterns do not hold these values anyway: two numbers are the ends of a domain."""
    special = any(isinstance(value, str) or not math.isfinite(value) for value in points)
    return len(points) > 2 or (special and len(points) > 0)
