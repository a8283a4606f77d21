"""The output changes by at most a constant times the change of the input."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from kexport.bundle.signature import Array
from kexport.contracts.falsification.hunt import Measured, Propose, falsify
from kexport.contracts.falsification.pairs import first_of, near, second_of
from kexport.contracts.filters.signals import ends
from kexport.contracts.protocol import Experiment, Function, Verdict, check_by_experiment
from kexport.errors import UsageError
from kexport.parity.space import Population, Space, other

_NORMS: dict[str | int, float] = {1: 1, 2: 2, "inf": math.inf}
_MOST_INPUTS = 1024  # elements of a sample whose Jacobian is measured
_AGAIN = 8  # turns after which it is measured again
_STEP = 0.02  # of the width of the domain: large enough for float32, small enough for a derivative


@dataclass(frozen=True)
class Lipschitz:
    """`|f(x) - f(x')| <= constant |x - x'|`, in the norm of all elements of a sample.

    Attributes:
        constant: the bound on the quotient.
        norm: 1, 2 or "inf", for inputs and outputs alike.

    Raises:
        UsageError: the constant is negative or not finite, or the norm is unknown.
    """

    constant: float = 1.0
    norm: int | str = 2

    kind: ClassVar[str] = "lipschitz"
    check = check_by_experiment

    def __post_init__(self) -> None:
        if not (math.isfinite(self.constant) and self.constant >= 0):
            raise UsageError(
                "contract 'lipschitz' needs a constant", got=self.constant, expected="a finite number of at least 0"
            )
        if self.norm not in _NORMS:
            raise UsageError("contract 'lipschitz' needs a norm", got=self.norm, expected='1, 2 or "inf"')

    def words(self) -> str:
        """The promise as a sentence."""
        return f"changes at most {self.constant:g} times as much as the input, in the {self.norm}-norm"

    def examine(self, experiment: Experiment) -> Verdict:
        """Search for two inputs whose outputs lie too far apart; the figure is the quotient.

        The quotient means nothing for steps so small that float arithmetic hides them: the error of the outputs'
        difference is part of the limit, which therefore falls with the size of the step.
        """
        function, space, order = experiment.function, experiment.space, _NORMS[self.norm]

        def size(values: Array) -> Array:
            return np.asarray(np.linalg.norm(values.reshape(len(values), -1), order, axis=1))

        def measure(population: Population) -> Measured:
            first, second = first_of(population, function), second_of(population, function)
            a, b = function(first), function(second)
            steps = [
                (second[name].astype(np.float64) - first[name].astype(np.float64)).reshape(len(a), -1)
                for name in function.inputs
            ]
            step = size(np.concatenate(steps, axis=1))
            change = size(b - a)
            elements = a[0].size
            # Each of the two outputs may be off by the slack in every element, in either direction.
            loss = 2 * {1: elements, 2: math.sqrt(elements), math.inf: 1}[order] * experiment.slack_of(a, b)
            with np.errstate(divide="ignore", invalid="ignore"):
                quotient = np.where(step > 0, change / step, 0.0)
                limit = np.where(step > 0, self.constant + loss / step, np.inf)
            # The search climbs the quotient rather than the excess, which is smallest for no step at all.
            merit = change / (self.constant * step + loss)
            return Measured(change - self.constant * step, loss, quotient, limit, merit)

        ways: list[Propose] = [near(space, function)]
        if len(function.inputs) == 1 and function.spec(function.inputs[0]).is_float:
            ways.append(_steepest(space, function, order))
        pairs = space.twice(function.inputs)
        return falsify(experiment, measure, unit="times the step", space=pairs, propose=ways)


def _steepest(space: Space, function: Function, order: float) -> Propose:
    """Long steps in the direction in which the output changes most, by finite differences at one of the samples.

    The direction attains the norm of the Jacobian: its first singular vector, the signs of its largest row, or its
    largest column. It is measured every few turns and used for all samples in between.
    """
    name = function.inputs[0]
    directions: dict[int, Array] = {}
    turn = [0]

    def proposed(rng: np.random.Generator, population: Population) -> Population:
        values = population[name].astype(np.float64)
        size = int(np.prod(values.shape[1:]))
        turn[0] += 1
        if not 0 < size <= _MOST_INPUTS:
            return population
        if size not in directions or turn[0] % _AGAIN == 0:
            directions[size] = _direction(space, function, population, order, rng)
        # As far as the domain reaches on both sides of each sample, or a part of that.
        width = space.widths(name)
        lengths = width * 10.0 ** rng.uniform(-1.5, 0.3, (len(values), 1))
        steps = (lengths * directions[size]).reshape(values.shape)
        centre = np.where(rng.random((len(values), *[1] * (values.ndim - 1))) < 0.5, 0.1, 1.0)
        low, high = ends(space, name, values.shape[1:])
        base = (low + high) / 2 + centre * (values - (low + high) / 2)
        return {**population, name: base - steps, other(name): base + steps}

    return proposed


def _direction(
    space: Space, function: Function, population: Population, order: float, rng: np.random.Generator
) -> Array:
    """The direction in which the output changes most at one sample, its largest element 1."""
    name = function.inputs[0]
    row = int(rng.integers(len(population[name])))
    shape = population[name].shape[1:]
    size = int(np.prod(shape))
    step = _STEP * space.widths(name)
    base = np.repeat(population[name][row : row + 1].astype(np.float64), 2 * size, axis=0).reshape(2 * size, size)
    moved = base + step * np.concatenate([np.eye(size), -np.eye(size)])
    around = {each: np.repeat(held[row : row + 1], 2 * size, axis=0) for each, held in population.items()}
    around[name] = moved.reshape(2 * size, *shape).astype(population[name].dtype)
    values = function(around).reshape(2 * size, -1)
    jacobian = (values[:size] - values[size:]).T
    if not np.isfinite(jacobian).all() or not jacobian.any():
        return rng.normal(size=size)
    if order == 2:
        direction = np.linalg.svd(jacobian, full_matrices=False)[2][0]
    elif order == 1:
        direction = np.eye(size)[int(np.argmax(np.abs(jacobian).sum(axis=0)))]
    else:
        direction = np.sign(jacobian[int(np.argmax(np.abs(jacobian).sum(axis=1)))])
    return np.asarray(direction / max(np.abs(direction).max(), 1e-300))


CONTRACT = Lipschitz
