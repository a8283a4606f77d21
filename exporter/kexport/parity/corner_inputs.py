"""Whole tensors built from the corners of a domain: its ends, an impulse, levels between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from kexport.bundle.domain import Domain, Features, placed
from kexport.bundle.signature import Array, TensorSpec

Feeds = dict[str, Array]
Shape = tuple[int, ...]
Fill = Callable[[np.random.Generator, Mapping[str, Shape]], Feeds]
_Pattern = Callable[[Shape], Array]
_GOLDEN = 0.6180339887498949  # its multiples fill a range evenly
_MOST_COMBINATIONS = 3


def of(inputs: Sequence[TensorSpec], domains: Mapping[str, Domain]) -> Iterator[tuple[str, Fill]]:
    """A label for each pattern, and what fills inputs of given shapes; inputs without the pattern get random values."""
    patterns = {spec.name: _patterns(domains[spec.name], spec) for spec in inputs}
    for label in sorted({label for each in patterns.values() for label in each}):
        yield label, _fill(inputs, domains, {name: each[label] for name, each in patterns.items() if label in each})
    yield from _opposite_ends(inputs, domains)


def _opposite_ends(inputs: Sequence[TensorSpec], domains: Mapping[str, Domain]) -> Iterator[tuple[str, Fill]]:
    """Some inputs at their upper end while the others are at their lower one.

    With two or three inputs, each is alone at its upper end once; with more, any two of the first eight are at
    opposite ends once.
    """
    ends = {spec.name: _ends(domains[spec.name], spec) for spec in inputs}
    names = [name for name, pair in ends.items() if pair is not None and pair[0] != pair[1]]
    if len(names) < 2:
        return
    for index in range(min(len(names), _MOST_COMBINATIONS)):
        few = len(names) <= _MOST_COMBINATIONS
        upper = [name for i, name in enumerate(names) if (i == index if few else i >> index & 1)]
        chosen = {}
        for name in names:
            low, high = ends[name] or (0, 0)
            chosen[name] = _constant(high if name in upper else low)
        yield f"{_listed(upper)} at the upper end, the rest at the lower", _fill(inputs, domains, chosen)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _fill(inputs: Sequence[TensorSpec], domains: Mapping[str, Domain], chosen: Mapping[str, _Pattern]) -> Fill:
    def fill(rng: np.random.Generator, shapes: Mapping[str, Shape]) -> Feeds:
        feeds = {}
        for spec in inputs:
            shape = shapes[spec.name]
            domain = domains[spec.name]
            value = chosen[spec.name](shape) if spec.name in chosen else domain.sample(rng, shape)
            if isinstance(domain, Features) and spec.name in chosen:
                value = domain.project(np.asarray(value).astype(np.float64 if spec.is_float else spec.numpy_dtype))
            feeds[spec.name] = np.asarray(value).astype(spec.numpy_dtype)
        return feeds

    return fill


def _patterns(domain: Domain, spec: TensorSpec) -> dict[str, _Pattern]:
    """The patterns of one input by label; every value of them lies in its domain."""
    patterns: dict[str, _Pattern] = {}
    pair = _ends(domain, spec)
    if pair is None:
        return patterns
    low, high = pair
    if low == high:
        return {**patterns, "the only value": _constant(low)}
    zero = (
        low <= 0 <= high and not domain.project(np.zeros(len(domain.each) if isinstance(domain, Features) else 1)).any()
    )
    rest = 0 if zero else low

    def impulse(shape: Shape) -> Array:
        values = np.full((shape[0], int(np.prod(shape[1:]))), rest, dtype=spec.numpy_dtype)
        middle = values.shape[1] // 2
        values[:, middle : middle + 1] = np.asarray(high).astype(spec.numpy_dtype)
        return values.reshape(shape)

    def alternating(shape: Shape) -> Array:
        both = np.asarray([low, high]) if spec.is_float else np.asarray([low, high], dtype=object)
        return np.resize(both, shape)

    def levels(shape: Shape) -> Array:
        # Not round numbers: their sums are exact, and do not show how a sum of equal numbers is rounded.
        shares = (_GOLDEN * (1 + np.arange(shape[0]))) % 1.0
        values = (low + (high - low) * shares).reshape(-1, *[1] * (len(shape) - 1))
        return placed(domain, np.broadcast_to(values, shape))

    patterns["all at the lower end"] = _constant(low)
    patterns["all at the upper end"] = _constant(high)
    patterns["alternating ends"] = alternating
    if spec.shape:
        patterns["impulse"] = impulse
        if spec.is_float and not domain.is_discrete:
            patterns["one value in each sample"] = levels
    if zero:
        patterns["zeros"] = _constant(0)
        if spec.is_float and not domain.is_discrete:
            # 2**-10 of the range: small, and far from where kernels may flush subnormal numbers to zero.
            patterns["small values"] = lambda shape: alternating(shape) * 2.0**-10
    return patterns


def _ends(domain: Domain, spec: TensorSpec) -> tuple[float, float] | None:
    """The least and the largest finite value; None for strings, and where there is no finite value."""
    corners = domain.corners()
    return None if not corners or spec.numpy_dtype.kind == "U" else (min(corners), max(corners))


def _constant(value: float) -> _Pattern:
    return lambda shape: np.full(shape, value)
