"""Contracts about an input and its negative, where both lie in the domain."""

from __future__ import annotations

import numpy as np

from kexport.bundle.signature import Array
from kexport.contracts.falsification.hunt import Measured, Propose, falsify
from kexport.contracts.protocol import Experiment, Function, Verdict
from kexport.parity.space import Population, Space

_NOWHERE = "the domain contains the negative of none of the inputs tried"
_UNIT = "of the opposite"
_LEAST = 256


def mirrored(sign: float, experiment: Experiment) -> Verdict:
    """Search for an x with `f(-x) != sign f(x)`.

    Args:
        sign: 1 for even functions, -1 for odd ones.
        experiment: the experiment.
    """
    function, space = experiment.function, experiment.space
    rng = np.random.default_rng(experiment.effort.seed)
    towards = _towards(function, space)
    if not any(_usable(experiment, towards, space.random(rng, _LEAST, form), rng) for form in space.forms):
        return Verdict(False, None, None, _UNIT, _NOWHERE, ran=False)

    def measure(population: Population) -> Measured:
        negative, usable = _negative(function, space, population)
        a, b = function(population), function(negative)
        excess = np.abs(b - sign * a).reshape(len(a), -1).max(axis=1, initial=0.0)
        return Measured(np.where(usable, excess, -np.inf), 2 * experiment.slack_of(a, b))

    return falsify(experiment, measure, unit=_UNIT, propose=[towards])


def _usable(experiment: Experiment, towards: Propose, drawn: Population, rng: np.random.Generator) -> bool:
    """Whether one of the samples differs from its negative, and the negative lies in the domain too."""
    function, space = experiment.function, experiment.space
    for population in (drawn, space.project(towards(rng, drawn))):
        usable = _negative(function, space, population)[1]
        nonzero = np.zeros(len(usable), bool)
        for name in function.inputs:
            nonzero |= (population[name] != 0).reshape(len(usable), -1).any(axis=1)
        if (usable & nonzero).any():
            return True
    return False


def _negative(function: Function, space: Space, population: Population) -> tuple[Population, Array]:
    """The negatives, and for each sample whether its negative lies in the domain."""
    negative = dict(population)
    for name in function.inputs:
        # The negative of 0 is 0: the sign of zero is not part of the promise.
        negative[name] = (0 - population[name].astype(np.float64)).astype(population[name].dtype)
    held = space.project(negative)
    count = len(next(iter(population.values())))
    usable = np.ones(count, bool)
    for name in function.inputs:
        same = (held[name] == negative[name]) & (negative[name] == -population[name].astype(np.float64))
        usable &= same.reshape(count, -1).all(axis=1)
    return held, usable


def _towards(function: Function, space: Space) -> Propose:
    """Samples within the part of the domain that is symmetric about 0."""

    def proposed(rng: np.random.Generator, population: Population) -> Population:
        clipped = dict(population)
        for name in function.inputs:
            corners = space.domains[name].corners()
            if corners and min(corners) < 0 < max(corners):
                reach = min(-min(corners), max(corners))
                clipped[name] = np.clip(population[name].astype(np.float64), -reach, reach)
        return clipped

    return proposed
