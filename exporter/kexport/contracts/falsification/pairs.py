"""Pairs of inputs: contracts that compare what a function gives at two places look at samples that hold both."""

from __future__ import annotations

import numpy as np

from kexport.bundle.signature import Array
from kexport.contracts.falsification.hunt import Propose
from kexport.contracts.protocol import Function
from kexport.parity.space import Population, Space, other


def first_of(population: Population, function: Function) -> Population:
    """The first value of each input; what a contract does not speak of is the same in both."""
    doubled = {other(name) for name in function.inputs}
    return {name: values for name, values in population.items() if name not in doubled}


def second_of(population: Population, function: Function) -> Population:
    """The second value of the inputs that the contract speaks of."""
    first = first_of(population, function)
    return {**first, **{name: population[other(name)] for name in function.inputs}}


def by_slope(excess: Array, slack: Array, step: Array, relative: float) -> Array:
    """What a hunt climbs where an excess grows with the step between two inputs; all of shape `(samples,)`.

    Args:
        excess: beyond the promise; negative where it is kept.
        slack: of the excess.
        step: between the inputs; where it is 0 nothing can be told.
        relative: the slack of an output of size 1.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        scale = slack / max(relative, np.finfo(np.float64).tiny)
        slope = np.minimum(excess / np.maximum(scale * step, np.finfo(np.float64).tiny), 1.0)
        merit = np.where(excess > slack, excess / slack, 1.0 / (2.0 - slope))
    return np.where(step > 0, np.where(np.isnan(excess), np.inf, merit), 0.0)


def near(domain: Space, function: Function) -> Propose:
    """Pairs near each other: steps of all sizes from a thousandth of the domain on, in all elements or in one."""

    def proposed(rng: np.random.Generator, population: Population) -> Population:
        found = dict(population)
        for name in function.inputs:
            values = population[name]
            if values.dtype.kind != "f":
                continue
            count, shape = len(values), values.shape[1:]
            column = (count, *[1] * len(shape))
            sizes = domain.widths(name) * 10.0 ** rng.uniform(-3, 0, column)
            share = rng.choice([1.0, 1.0 / max(1, int(np.prod(shape)))], column)
            moves = sizes * rng.normal(size=values.shape) * (rng.random(values.shape) < share)
            found[other(name)] = values.astype(np.float64) + moves
        return found

    return proposed
