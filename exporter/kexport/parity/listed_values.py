"""Inputs with every value that a domain lists, in as many batches as that takes.

A domain lists its values where they are few: the keys of a vocabulary, small integers, both sides of the edges of bins.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kexport.bundle.domain import Domain, points_of
from kexport.bundle.signature import Array, TensorSpec
from kexport.parity.corner_inputs import Feeds, Fill, Shape

EVERY = "every value"
ALONE = "one value throughout each sample"
_MOST_BATCHES = 64
_BATCH_ELEMENTS, _ALL_ELEMENTS = 1 << 18, 1 << 22
_MANY = 1 << 12  # values; of more, a batch holds no more: what follows from them may take much memory
_ALONE_ELEMENTS = 1 << 16  # of all samples that hold one value each


@dataclass(frozen=True)
class _Listed:
    """The values of one input.

    Attributes:
        points: for each feature, or for all of them together.
        places: how many values of a feature one sample holds.
        elements: the size of a sample.
    """

    points: Sequence[Sequence[float | str]]
    places: int
    elements: int

    @classmethod
    def of(cls, spec: TensorSpec, domain: Domain, length: int) -> _Listed:
        """The values that the domain of an input lists."""
        elements = math.prod(length if size is None else size for size in spec.shape[1:])
        points = [each if _worth(each) else () for each in points_of(domain)]
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
            chosen = _indices(part, first, self.places, alone) % len(points)
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
    elements = sum(each.elements for each in listed.values())
    needed = max(math.ceil(each.count / each.places) for each in named.values())
    yield from _batches(EVERY, needed, inputs, domains, named, batch, elements)
    several = {name: each for name, each in named.items() if each.places > 1}
    samples = max((each.count for each in several.values()), default=0)
    if several and samples * elements <= _ALONE_ELEMENTS:
        yield from _batches(ALONE, samples, inputs, domains, several, batch, elements)


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
    many = max(each.count for each in listed.values()) > _MANY
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
