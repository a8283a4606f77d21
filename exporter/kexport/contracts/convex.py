"""Every element of the output is a convex function of the input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from kexport.contracts.falsification.hunt import Measured, Propose, falsify
from kexport.contracts.falsification.pairs import by_slope, first_of, near, second_of
from kexport.contracts.protocol import Experiment, Function, Verdict, check_by_experiment
from kexport.parity.space import Population, other

_DISCRETE = "the domain is discrete: it holds no points between its values"
_UNIT = "above the chord"


@dataclass(frozen=True)
class Convex:
    """`f(m) <= (f(a) + f(b)) / 2` for the midpoint m of any a and b, for every element of the output.

    For a continuous function midpoints are enough: Jensen, Sur les fonctions convexes, 1906.
    """

    kind: ClassVar[str] = "convex"
    check = check_by_experiment

    def words(self) -> str:
        """The promise as a sentence."""
        return "is a convex function of the input"

    def examine(self, experiment: Experiment) -> Verdict:
        """Search for a chord below the function; the figure is how far the midpoint lies above it."""
        function, space = experiment.function, experiment.space
        if any(space.domains[name].is_discrete for name in function.inputs):
            return Verdict(False, None, None, _UNIT, _DISCRETE, ran=False)
        relative = experiment.slack.relative(function.outputs[0])

        def measure(population: Population) -> Measured:
            first, second = first_of(population, function), second_of(population, function)
            middle, ends, steps = dict(first), dict(first), []
            for name in function.inputs:
                a, b = first[name].astype(np.float64), second[name].astype(np.float64)
                middle[name] = ((a + b) / 2).astype(first[name].dtype)
                # The midpoint is rounded: the other end moves, to keep it the middle as nearly as possible.
                ends[name] = (2 * middle[name].astype(np.float64) - a).astype(first[name].dtype)
                steps.append(np.abs(b - a).reshape(len(a), -1).max(axis=1, initial=0.0))
            low, high, mid = function(first), function(ends), function(middle)
            above = (mid - (low + high) / 2).reshape(len(mid), -1).max(axis=1, initial=-np.inf)
            inside = space.project(ends)
            usable = np.all([(inside[n] == ends[n]).reshape(len(mid), -1).all(axis=1) for n in function.inputs], axis=0)
            usable &= np.max(steps, axis=0) > 0
            slack = 2 * experiment.slack_of(low, high, mid)
            # The search climbs the bend per length of the chord, since a short chord bends little.
            merit = by_slope(above, slack, np.max(steps, axis=0), relative)
            return Measured(np.where(usable, above, -np.inf), slack, merit=np.where(usable, merit, 0.0))

        ways: list[Propose] = [near(space, function), _along_one(function)]
        return falsify(experiment, measure, unit=_UNIT, space=space.twice(function.inputs), propose=ways)


def _along_one(function: Function) -> Propose:
    """Chords along one element, from end to end of the domain or a part of it."""

    def proposed(rng: np.random.Generator, population: Population) -> Population:
        chords = dict(population)
        for name in function.inputs:
            first, second = population[name], population[other(name)]
            flat, far = first.reshape(len(first), -1).copy(), second.reshape(len(second), -1)
            if not flat.size:
                continue
            rows, places = np.arange(len(flat)), rng.integers(0, flat.shape[1], len(flat))
            flat[rows, places] = far[rows, places]
            chords[other(name)] = flat.reshape(first.shape)
        return chords

    return proposed


CONTRACT = Convex
