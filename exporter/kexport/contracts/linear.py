"""The output is linear in the inputs: sums map to sums, multiples to multiples."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from kexport.bundle.signature import Array
from kexport.contracts.falsification.hunt import Measured, Propose, hunt
from kexport.contracts.falsification.pairs import first_of, second_of
from kexport.contracts.filters.signals import ends
from kexport.contracts.protocol import EFFORT, Effort, Function, Slack, Verdict
from kexport.parity.space import Population, Space, other

_LEAST_STRETCH = 1.25  # below, an offset of the output hardly shows
#: What is looked for, of each sample: how far from equal two sides are, and what float arithmetic may add to that.
_Statement = tuple[Array, Array]


@dataclass(frozen=True)
class Linear:
    """`f(a x + b x') = a f(x) + b f(x')`, for all inputs together.

    Within a domain this is looked for in parts. Midpoints, which lie in every box: `f((x + x') / 2) = (f(x) + f(x')) /
    2`, which makes a bounded function affine (Jensen, Acta Mathematica 30, 1906). Where a domain is discrete, and
    midpoints are few: what x and x' give together stays when they exchange elements. And `f(0) = 0`, or where 0
    lies outside of the domain `f(c x) = c f(x)` with the largest c that does not leave it: an affine function of which
    this holds has no offset.
    """

    kind: ClassVar[str] = "linear"

    def words(self) -> str:
        """The promise as a sentence."""
        return "is linear in the input, without an offset"

    def check(self, function: Function, domain: Space, tolerance: Slack, effort: Effort = EFFORT) -> Verdict:
        """Hunt for inputs of which one of the parts does not hold; the figure is how far it is off."""
        inputs = function.inputs
        discrete = any(domain.domains[name].is_discrete for name in inputs)

        def measure(population: Population) -> Measured:
            x, y = first_of(population, function), second_of(population, function)
            parts = [_midpoint(function, domain, tolerance, x, y), _multiple(function, domain, tolerance, x)]
            if discrete:
                parts.append(_exchange(function, tolerance, x, y))
            return Measured(*_worst(parts))

        space, ways = domain.twice(inputs), [_stretchable(domain, function)]
        verdict = hunt(measure, space, tolerance.epsilon, effort, unit="from linear", propose=ways)
        zero = "0 at 0" if _zero_inside(domain, inputs) else "multiples, since 0 lies outside of the domain"
        looked_at = f"looked at midpoints{', exchanged elements' if discrete else ''} and {zero}"
        return replace(verdict, detail=f"{verdict.detail}; {looked_at}") if verdict.ran else verdict


def _midpoint(function: Function, domain: Space, tolerance: Slack, x: Population, y: Population) -> _Statement:
    ideal = {name: (_wide(x[name]) + _wide(y[name])) / 2 for name in function.inputs}
    middle = domain.project({**x, **ideal})
    # Where the midpoint is no value of the domain, only x is looked at.
    meets = {name: _same(middle[name], ideal[name], tolerance.epsilon) for name in ideal}
    y = {**y, **{name: np.where(meets[name], y[name], x[name]) for name in ideal}}
    middle = {**middle, **{name: np.where(meets[name], middle[name], x[name]) for name in ideal}}
    a, b, c = function(x), function(y), function(middle)
    # Of the midpoint, and half that of either end.
    return _largest(c - (a + b) / 2), 2 * tolerance.of(function.outputs[0], a, b, c)


def _exchange(function: Function, tolerance: Slack, x: Population, y: Population) -> _Statement:
    chosen = {name: np.stack([_mask(a, b) for a, b in zip(x[name], y[name], strict=True)]) for name in function.inputs}
    v = {**x, **{name: np.where(mask, x[name], y[name]) for name, mask in chosen.items()}}
    w = {**x, **{name: np.where(mask, y[name], x[name]) for name, mask in chosen.items()}}
    a, b, c, d = function(x), function(y), function(v), function(w)
    return _largest(a + b - c - d), 4 * tolerance.of(function.outputs[0], a, b, c, d)


def _mask(a: Array, b: Array) -> Array:
    """Elements to exchange: at random, but the same ones whenever the same pair is looked at."""
    return np.random.default_rng(zlib.crc32(a.tobytes() + b.tobytes())).random(a.shape) < 0.5


def _multiple(function: Function, domain: Space, tolerance: Slack, x: Population) -> _Statement:
    inputs = function.inputs
    factor = _largest_factor(domain, x, inputs)
    ideal = {name: _wide(x[name]) * _column(factor, x[name]) for name in inputs}
    found = domain.project({**x, **ideal})
    exact = [_same(found[name], ideal[name], tolerance.epsilon).reshape(len(factor), -1).all(axis=1) for name in inputs]
    told = np.logical_and.reduce(exact) & ((factor == 0) | (factor >= _LEAST_STRETCH))
    a, b = function(x), function(found)
    off = _largest(b - _column(factor, a) * a)
    return np.where(told, off, -np.inf), (1 + factor) * tolerance.of(function.outputs[0], a, b)


def _worst(parts: Sequence[_Statement]) -> _Statement:
    """Of each sample, the part that is off most."""
    excess, slack = (np.stack(each) for each in zip(*parts, strict=True))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(np.isnan(excess), np.inf, excess / slack)
    row = np.argmax(ratio, axis=0)[None]
    return np.take_along_axis(excess, row, 0)[0], np.take_along_axis(slack, row, 0)[0]


def _wide(values: Array) -> Array:
    return values.astype(np.float64)


def _column(values: Array, like: Array) -> Array:
    return values.reshape(-1, *[1] * (like.ndim - 1))


def _same(values: Array, ideal: Array, epsilon: float) -> Array:
    return np.asarray(np.abs(_wide(values) - ideal) <= epsilon * np.abs(ideal))


def _largest(values: Array) -> Array:
    return np.asarray(np.abs(values).reshape(len(values), -1).max(axis=1, initial=-np.inf))


def _zero_inside(domain: Space, inputs: Sequence[str]) -> bool:
    shapes = {name: (1, *domain.forms[0][name]) for name in inputs}
    return not any(domain.domains[name].project(np.zeros(shape)).any() for name, shape in shapes.items())


def _largest_factor(domain: Space, x: Population, inputs: Sequence[str]) -> Array:
    """What each sample is multiplied by: 0, or the largest that leaves it in the domain."""
    count = len(x[inputs[0]])
    if _zero_inside(domain, inputs):
        return np.zeros(count)
    found = np.full(count, np.inf)
    for name in inputs:
        low, high = ends(domain, name, x[name].shape[1:])
        values = _wide(x[name])
        with np.errstate(divide="ignore", invalid="ignore"):
            most = np.where(values > 0, high / values, np.where(values < 0, low / values, np.inf))
        found = np.minimum(found, most.reshape(count, -1).min(axis=1, initial=np.inf))
    # The next multiple of a quarter below: a product with it is hardly rounded.
    return np.asarray(np.where(np.isfinite(found) & (found >= 1), np.floor(4 * found) / 4, 1.0))


def _stretchable(domain: Space, function: Function) -> Propose:
    """Pairs near the end of the domain that lies nearer to 0: where the longest multiples are."""

    def proposed(rng: np.random.Generator, population: Population) -> Population:
        found = dict(population)
        for name in function.inputs:
            low, high = ends(domain, name, population[name].shape[1:])
            nearest = np.clip(0.0, low, high)
            share = 10.0 ** rng.uniform(-4, 0, (len(population[name]), *[1] * low.ndim))
            for each in (name, other(name)):
                found[each] = nearest + share * (_wide(population[each]) - nearest)
        return found

    return proposed


CONTRACT = Linear
