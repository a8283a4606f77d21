"""An input and its opposite, where both lie in the domain."""

from __future__ import annotations

import numpy as np

from kexport.bundle.signature import Array
from kexport.contracts.falsification.hunt import Measured, Propose, hunt
from kexport.contracts.protocol import Effort, Function, Slack, Verdict
from kexport.parity.space import Population, Space

_NOWHERE = "of no input that was tried the opposite lies in the domain"
_UNIT = "of the opposite"
_LEAST = 256


def mirrored(sign: float, function: Function, domain: Space, tolerance: Slack, effort: Effort) -> Verdict:
    """Hunt for an x with `f(-x)` other than `sign f(x)`.

    Args:
        sign: 1 for even functions, -1 for odd ones.
        function: to look at.
        domain: of its inputs.
        tolerance: of its outputs.
        effort: of the hunt.
    """
    rng = np.random.default_rng(effort.seed)
    towards = _towards(function, domain)
    if not any(_telling(function, domain, towards, domain.random(rng, _LEAST, form), rng) for form in domain.forms):
        return Verdict(False, None, None, _UNIT, _NOWHERE, ran=False)

    def measure(population: Population) -> Measured:
        opposite, usable = _opposite(function, domain, population)
        a, b = function(population), function(opposite)
        excess = np.abs(b - sign * a).reshape(len(a), -1).max(axis=1, initial=0.0)
        slack = 2 * tolerance.of(function.outputs[0], a, b)
        return Measured(np.where(usable, excess, -np.inf), slack)

    return hunt(measure, domain, tolerance.epsilon, effort, unit=_UNIT, propose=[towards])


def _telling(function: Function, domain: Space, towards: Propose, drawn: Population, rng: np.random.Generator) -> bool:
    """Whether among samples is one other than its opposite, which lies in the domain too."""
    for population in (drawn, domain.project(towards(rng, drawn))):
        usable = _opposite(function, domain, population)[1]
        other = np.zeros(len(usable), bool)
        for name in function.inputs:
            other |= (population[name] != 0).reshape(len(usable), -1).any(axis=1)
        if (usable & other).any():
            return True
    return False


def _opposite(function: Function, domain: Space, population: Population) -> tuple[Population, Array]:
    """The opposites, and of which samples they lie in the domain."""
    found = dict(population)
    for name in function.inputs:
        # Minus 0 is 0: their sign is no part of the promise.
        found[name] = (0 - population[name].astype(np.float64)).astype(population[name].dtype)
    held = domain.project(found)
    count = len(next(iter(population.values())))
    usable = np.ones(count, bool)
    for name in function.inputs:
        same = (held[name] == found[name]) & (found[name] == -population[name].astype(np.float64))
        usable &= same.reshape(count, -1).all(axis=1)
    return held, usable


def _towards(function: Function, domain: Space) -> Propose:
    """Samples that lie within what a domain has of both signs."""

    def proposed(rng: np.random.Generator, population: Population) -> Population:
        found = dict(population)
        for name in function.inputs:
            corners = domain.domains[name].corners()
            if corners and min(corners) < 0 < max(corners):
                reach = min(-min(corners), max(corners))
                found[name] = np.clip(population[name].astype(np.float64), -reach, reach)
        return found

    return proposed
