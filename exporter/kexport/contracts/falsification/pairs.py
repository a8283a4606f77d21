"""Pairs of inputs: for contracts that compare two outputs, every sample holds two values of an input."""

from __future__ import annotations

import numpy as np

from kexport.bundle.signature import Array
from kexport.contracts.falsification.hunt import Propose
from kexport.contracts.protocol import Function
from kexport.parity.space import Population, Space, other


def first_of(population: Population, function: Function) -> Population:
    """The first value of each input; inputs that the contract is not about have only one."""
    doubled = {other(name) for name in function.inputs}
    return {name: values for name, values in population.items() if name not in doubled}


def second_of(population: Population, function: Function) -> Population:
    """The second value of the inputs that the contract is about, and the single value of the others."""
    first = first_of(population, function)
    return {**first, **{name: population[other(name)] for name in function.inputs}}


def by_slope(excess: Array, slack: Array, step: Array, relative: float) -> Array:
    """The merit to climb where an excess grows with the step between two inputs; all of shape `(samples,)`.

    Args:
        excess: beyond the promise; negative where the promise holds.
        slack: the slack of the excess.
        step: between the inputs; the merit is 0 where it is 0.
        relative: the slack of an output of size 1.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        scale = slack / max(relative, np.finfo(np.float64).tiny)
        slope = np.minimum(excess / np.maximum(scale * step, np.finfo(np.float64).tiny), 1.0)
        merit = np.where(excess > slack, excess / slack, 1.0 / (2.0 - slope))
    return np.where(step > 0, np.where(np.isnan(excess), np.inf, merit), 0.0)


def near(space: Space, function: Function) -> Propose:
    """Pairs of nearby values: steps from a thousandth of the domain up to all of it, in all elements or in one."""

    def proposed(rng: np.random.Generator, population: Population) -> Population:
        pairs = dict(population)
        for name in function.inputs:
            values = population[name]
            if values.dtype.kind != "f":
                continue
            count, shape = len(values), values.shape[1:]
            column = (count, *[1] * len(shape))
            sizes = space.widths(name) * 10.0 ** rng.uniform(-3, 0, column)
            share = rng.choice([1.0, 1.0 / max(1, int(np.prod(shape)))], column)
            moves = sizes * rng.normal(size=values.shape) * (rng.random(values.shape) < share)
            pairs[other(name)] = values.astype(np.float64) + moves
        return pairs

    return proposed
