"""The output is linear in the inputs: sums map to sums, multiples to multiples."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from kexport.bundle.signature import Array
from kexport.contracts.falsification.hunt import Measured, Propose, falsify
from kexport.contracts.falsification.pairs import first_of, second_of
from kexport.contracts.filters.signals import ends
from kexport.contracts.protocol import Experiment, Function, Verdict, check_by_experiment
from kexport.parity.space import Population, Space, other

_LEAST_STRETCH = 1.25  # below, an offset of the output hardly shows
#: For each sample: how far from equal two sides are, and the slack of that difference.
_Statement = tuple[Array, Array]


@dataclass(frozen=True)
class Linear:
    """`f(a x + b x') = a f(x) + b f(x')`, for all inputs together.

    Within a domain this is checked in parts. Midpoints, which lie in every box: `f((x + x') / 2) = (f(x) + f(x')) / 2`,
    which makes a bounded function affine (Jensen, Acta Mathematica 30, 1906). In a discrete domain, where midpoints are
    few: `f(x) + f(x')` stays the same when x and x' exchange elements. And `f(0) = 0`, or where 0 lies outside the
    domain `f(c x) = c f(x)` with the largest c that does not leave it: this excludes an offset.
    """

    kind: ClassVar[str] = "linear"
    check = check_by_experiment

    def words(self) -> str:
        """The promise as a sentence."""
        return "is linear in the input, without an offset"

    def examine(self, experiment: Experiment) -> Verdict:
        """Search for inputs that violate one of the parts; the figure is by how much."""
        function, space = experiment.function, experiment.space
        discrete = any(space.domains[name].is_discrete for name in function.inputs)

        def measure(population: Population) -> Measured:
            x, y = first_of(population, function), second_of(population, function)
            parts = [_midpoint(experiment, x, y), _multiple(experiment, x)]
            if discrete:
                parts.append(_exchange(experiment, x, y))
            return Measured(*_worst(parts))

        pairs, ways = space.twice(function.inputs), [_stretchable(space, function)]
        verdict = falsify(experiment, measure, unit="from linear", space=pairs, propose=ways)
        zero = "0 at 0" if _zero_inside(space, function.inputs) else "multiples, since the domain excludes 0"
        parts = f"checked midpoints{', exchanged elements' if discrete else ''} and {zero}"
        return replace(verdict, remarks=(*verdict.remarks, parts)) if verdict.ran else verdict


def _midpoint(experiment: Experiment, x: Population, y: Population) -> _Statement:
    function, epsilon = experiment.function, experiment.slack.epsilon
    ideal = {name: (_wide(x[name]) + _wide(y[name])) / 2 for name in function.inputs}
    middle = experiment.space.project({**x, **ideal})
    # Where the midpoint is no value of the domain, all three points are x.
    meets = {name: _same(middle[name], ideal[name], epsilon) for name in ideal}
    y = {**y, **{name: np.where(meets[name], y[name], x[name]) for name in ideal}}
    middle = {**middle, **{name: np.where(meets[name], middle[name], x[name]) for name in ideal}}
    a, b, c = function(x), function(y), function(middle)
    # The slack of the midpoint, plus half that of either end.
    return _largest(c - (a + b) / 2), 2 * experiment.slack_of(a, b, c)


def _exchange(experiment: Experiment, x: Population, y: Population) -> _Statement:
    function = experiment.function
    masks = {name: np.stack([_mask(a, b) for a, b in zip(x[name], y[name], strict=True)]) for name in function.inputs}
    v = {**x, **{name: np.where(mask, x[name], y[name]) for name, mask in masks.items()}}
    w = {**x, **{name: np.where(mask, y[name], x[name]) for name, mask in masks.items()}}
    a, b, c, d = function(x), function(y), function(v), function(w)
    return _largest(a + b - c - d), 4 * experiment.slack_of(a, b, c, d)


def _mask(a: Array, b: Array) -> Array:
    """Elements to exchange: random, but always the same for the same pair."""
    return np.random.default_rng(zlib.crc32(a.tobytes() + b.tobytes())).random(a.shape) < 0.5


def _multiple(experiment: Experiment, x: Population) -> _Statement:
    function, epsilon = experiment.function, experiment.slack.epsilon
    inputs = function.inputs
    factor = _largest_factor(experiment.space, x, inputs)
    ideal = {name: _wide(x[name]) * _column(factor, x[name]) for name in inputs}
    multiple = experiment.space.project({**x, **ideal})
    exact = [_same(multiple[name], ideal[name], epsilon).reshape(len(factor), -1).all(axis=1) for name in inputs]
    usable = np.logical_and.reduce(exact) & ((factor == 0) | (factor >= _LEAST_STRETCH))
    a, b = function(x), function(multiple)
    off = _largest(b - _column(factor, a) * a)
    return np.where(usable, off, -np.inf), (1 + factor) * experiment.slack_of(a, b)


def _worst(parts: Sequence[_Statement]) -> _Statement:
    """For each sample, the part that is violated most."""
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


def _zero_inside(space: Space, inputs: Sequence[str]) -> bool:
    shapes = {name: (1, *space.forms[0][name]) for name in inputs}
    return not any(space.domains[name].project(np.zeros(shape)).any() for name, shape in shapes.items())


def _largest_factor(space: Space, x: Population, inputs: Sequence[str]) -> Array:
    """What each sample is multiplied by: 0, or the largest factor that leaves it in the domain."""
    count = len(x[inputs[0]])
    if _zero_inside(space, inputs):
        return np.zeros(count)
    factor = np.full(count, np.inf)
    for name in inputs:
        low, high = ends(space, name, x[name].shape[1:])
        values = _wide(x[name])
        with np.errstate(divide="ignore", invalid="ignore"):
            most = np.where(values > 0, high / values, np.where(values < 0, low / values, np.inf))
        factor = np.minimum(factor, most.reshape(count, -1).min(axis=1, initial=np.inf))
    # Rounded down to a quarter, since a product with that is hardly rounded.
    return np.asarray(np.where(np.isfinite(factor) & (factor >= 1), np.floor(4 * factor) / 4, 1.0))


def _stretchable(space: Space, function: Function) -> Propose:
    """Pairs near the end of the domain that lies nearer to 0, which have the largest multiples."""

    def proposed(rng: np.random.Generator, population: Population) -> Population:
        pairs = dict(population)
        for name in function.inputs:
            low, high = ends(space, name, population[name].shape[1:])
            nearest = np.clip(0.0, low, high)
            share = 10.0 ** rng.uniform(-4, 0, (len(population[name]), *[1] * low.ndim))
            for each in (name, other(name)):
                pairs[each] = nearest + share * (_wide(population[each]) - nearest)
        return pairs

    return proposed


CONTRACT = Linear
