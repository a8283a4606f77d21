"""The output is linear in the inputs: sums map to sums, multiples to multiples."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from kexport.bundle.signature import Array
from kexport.contracts._contract import EFFORT, Effort, Verdict
from kexport.contracts._function import Function
from kexport.contracts._hunt import Measured, Propose, hunt
from kexport.contracts._pairs import first_of, second_of
from kexport.contracts._signals import ends
from kexport.contracts._slack import Slack
from kexport.parity.space import Population, Space, other

_LEAST_STRETCH = 1.25  # below, an offset of the output hardly shows
_ORIGIN = "midpoints, and 0 at 0"
_RAYS = "midpoints, and multiples, since 0 lies outside of the domain"


@dataclass(frozen=True)
class Linear:
    """`f(a x + b x') = a f(x) + b f(x')`.

    Within a domain this is looked for in two parts. Midpoints, which lie in every box: `2 f((x + x') / 2) = f(x) +
    f(x')`, which makes a bounded function affine (Jensen, Acta Mathematica 30, 1906). And `f(0) = 0`, or where 0
    lies outside of the domain `f(c x) = c f(x)` with the largest c that does not leave it: an affine function of which
    this holds has no offset.
    """

    kind: ClassVar[str] = "linear"

    def words(self) -> str:
        """The promise as a sentence."""
        return "is linear in the input, without an offset"

    def check(self, function: Function, domain: Space, tolerance: Slack, effort: Effort = EFFORT) -> Verdict:
        """Hunt for two inputs whose midpoint, or one whose multiple, comes out elsewhere; the figure is how far."""
        inputs, output = function.inputs, function.outputs[0]

        def measure(population: Population) -> Measured:
            x, other_x = first_of(population, function), second_of(population, function)
            a, b = function(x), function(other_x)
            middle = domain.project({**x, **{n: (_wide(x[n]) + _wide(other_x[n])) / 2 for n in inputs}})
            c = function(middle)
            excess = _largest(c - (a + b) / 2)
            slack = 2 * tolerance.of(output, a, b, c)  # of the midpoint, and half that of either end
            stretch = _stretch(domain, x, inputs)
            stretched = domain.project({**x, **{n: _wide(x[n]) * _column(stretch, x[n]) for n in inputs}})
            d = function(stretched)
            offset = _largest(d - _column(stretch, a) * a)
            loss = (1 + stretch) * tolerance.of(output, a, d)
            told = (stretch == 0) | (stretch >= _LEAST_STRETCH)
            telling = told & ~np.isnan(excess) & ~(offset * slack <= excess * loss)  # NaN is what tells most
            return Measured(np.where(telling, offset, excess), np.where(telling, loss, slack))

        space = domain.twice(inputs)
        ways = [_stretchable(domain, function)]
        verdict = hunt(measure, space, tolerance.epsilon, effort, unit="from linear", propose=ways)
        looked_at = _ORIGIN if _zero_inside(domain, inputs) else _RAYS
        return replace(verdict, detail=f"{verdict.detail}; looked at: {looked_at}" if verdict.ran else verdict.detail)


def _wide(values: Array) -> Array:
    return values.astype(np.float64)


def _column(values: Array, like: Array) -> Array:
    return values.reshape(-1, *[1] * (like.ndim - 1))


def _largest(values: Array) -> Array:
    return np.asarray(np.abs(values).reshape(len(values), -1).max(axis=1, initial=-np.inf))


def _zero_inside(domain: Space, inputs: tuple[str, ...]) -> bool:
    for name in inputs:
        low, high = ends(domain, name, domain.forms[0][name])
        if not ((low <= 0) & (high >= 0)).all():
            return False
        if domain.domains[name].project(np.zeros_like(low)[None]).any():  # a choice that 0 is none of
            return False
    return True


def _stretch(domain: Space, x: Population, inputs: tuple[str, ...]) -> Array:
    """The factor that each sample is multiplied by: 0, or the largest that leaves it in the domain."""
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
