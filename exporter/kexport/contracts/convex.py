"""The output is a convex function of the input, element by element."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from kexport.contracts.falsification.hunt import Measured, Propose, hunt
from kexport.contracts.falsification.pairs import by_slope, first_of, near, second_of
from kexport.contracts.protocol import EFFORT, Effort, Function, Slack, Verdict
from kexport.parity.space import Population, Space, other

_DISCRETE = "the domain holds single values, between which nothing lies"
_UNIT = "above the chord"


@dataclass(frozen=True)
class Convex:
    """`f(m) <= (f(a) + f(b)) / 2` for the midpoint m of any a and b, for every element of the output.

    For a continuous function midpoints are enough: Jensen, Sur les fonctions convexes, 1906.
    """

    kind: ClassVar[str] = "convex"

    def words(self) -> str:
        """The promise as a sentence."""
        return "is a convex function of the input"

    def check(self, function: Function, domain: Space, tolerance: Slack, effort: Effort = EFFORT) -> Verdict:
        """Hunt for a chord below the function; the figure is how far the midpoint lies above it."""
        if any(domain.domains[name].is_discrete for name in function.inputs):
            return Verdict(False, None, None, _UNIT, _DISCRETE, ran=False)

        def measure(population: Population) -> Measured:
            first, second = first_of(population, function), second_of(population, function)
            middle, ends, steps = dict(first), dict(first), []
            for name in function.inputs:
                a, b = first[name].astype(np.float64), second[name].astype(np.float64)
                middle[name] = ((a + b) / 2).astype(first[name].dtype)
                # The midpoint is rounded: the other end moves, so that it is the middle again as nearly as can be.
                ends[name] = (2 * middle[name].astype(np.float64) - a).astype(first[name].dtype)
                steps.append(np.abs(b - a).reshape(len(a), -1).max(axis=1, initial=0.0))
            low, high, mid = function(first), function(ends), function(middle)
            above = (mid - (low + high) / 2).reshape(len(mid), -1).max(axis=1, initial=-np.inf)
            inside = domain.project(ends)
            usable = np.all([(inside[n] == ends[n]).reshape(len(mid), -1).all(axis=1) for n in function.inputs], axis=0)
            usable &= np.max(steps, axis=0) > 0
            slack = 2 * tolerance.of(function.outputs[0], low, high, mid)
            # The bend for the length of the chord is climbed: what is short bends little.
            relative = tolerance.relative(function.outputs[0])
            merit = by_slope(above, slack, np.max(steps, axis=0), relative)
            return Measured(np.where(usable, above, -np.inf), slack, merit=np.where(usable, merit, 0.0))

        ways: list[Propose] = [near(domain, function), _along_one(domain, function)]
        return hunt(measure, domain.twice(function.inputs), tolerance.epsilon, effort, unit=_UNIT, propose=ways)


def _along_one(domain: Space, function: Function) -> Propose:
    """Chords along one element, from end to end of the domain or a part of it."""

    def proposed(rng: np.random.Generator, population: Population) -> Population:
        found = dict(population)
        for name in function.inputs:
            first, second = population[name], population[other(name)]
            flat, far = first.reshape(len(first), -1).copy(), second.reshape(len(second), -1)
            if not flat.size:
                continue
            rows, places = np.arange(len(flat)), rng.integers(0, flat.shape[1], len(flat))
            flat[rows, places] = far[rows, places]
            found[other(name)] = flat.reshape(first.shape)
        return found

    return proposed


CONTRACT = Convex
