"""Pairs of inputs: contracts that compare what a function gives at two places look at samples that hold both."""

from __future__ import annotations

import numpy as np

from kexport.contracts._function import Function
from kexport.contracts._hunt import Propose
from kexport.parity.space import Population, Space, other


def first_of(population: Population, function: Function) -> Population:
    """The first value of each input; what a contract does not speak of is the same in both."""
    doubled = {other(name) for name in function.inputs}
    return {name: values for name, values in population.items() if name not in doubled}


def second_of(population: Population, function: Function) -> Population:
    """The second value of the inputs that the contract speaks of."""
    first = first_of(population, function)
    return {**first, **{name: population[other(name)] for name in function.inputs}}


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
