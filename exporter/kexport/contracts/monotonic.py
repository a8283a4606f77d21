"""The output never falls, or never rises, where the input grows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from kexport.bundle.signature import Array
from kexport.contracts.falsification.hunt import Measured, Propose, hunt
from kexport.contracts.falsification.pairs import by_slope, first_of, second_of
from kexport.contracts.filters.signals import ends, only_input
from kexport.contracts.protocol import EFFORT, Effort, Function, Slack, Verdict
from kexport.errors import UsageError
from kexport.parity.space import Population, Space, other

_UNIT = "against the direction"


@dataclass(frozen=True)
class Monotonic:
    """`f(x') >= f(x)` for every `x' >= x`, element by element of the output; `<=` for direction -1.

    Attributes:
        direction: 1, -1, or 0 for what nothing is promised of; one for all features, or one a feature of the last axis.

    Raises:
        UsageError: a direction is none of these, or all are 0.
    """

    direction: int | tuple[int, ...] = 1

    kind: ClassVar[str] = "monotonic"

    def __post_init__(self) -> None:
        given = self.direction
        ways = list(given) if isinstance(given, tuple | list) else [given]
        if not all(isinstance(way, int) and way in (-1, 0, 1) for way in ways) or not any(ways):
            raise UsageError(
                "contract 'monotonic' has no direction",
                got=given,
                expected="1, -1 or 0, or one of them a feature, not all of them 0",
            )
        if isinstance(given, list):
            object.__setattr__(self, "direction", tuple(given))

    def words(self) -> str:
        """The promise as a sentence."""
        if isinstance(self.direction, int):
            return "never falls where the input grows" if self.direction > 0 else "never rises where the input grows"
        counts = [f"rises with {self.direction.count(1)}"] * (1 in self.direction)
        counts += [f"falls with {self.direction.count(-1)}"] * (-1 in self.direction)
        return f"never goes against its direction: {', '.join(counts)} of {len(self.direction)} features"

    def check(self, function: Function, domain: Space, tolerance: Slack, effort: Effort = EFFORT) -> Verdict:
        """Hunt for two ordered inputs whose outputs are not; the figure is by how much."""
        name = only_input(self.kind, function)
        features = function.spec(name).shape[-1] if function.spec(name).shape else None
        if isinstance(self.direction, tuple) and features != len(self.direction):
            raise UsageError(
                "contract 'monotonic' does not fit the input",
                got=f"{features} features on the last axis",
                expected=f"{len(self.direction)}, one a direction",
            )
        ways = np.asarray(self.direction)

        def measure(population: Population) -> Measured:
            first, second = first_of(population, function), second_of(population, function)
            a, b = first[name].astype(np.float64), second[name].astype(np.float64)
            low = {**first, name: np.where(ways > 0, np.minimum(a, b), np.where(ways < 0, np.maximum(a, b), a))}
            high = {**first, name: np.where(ways > 0, np.maximum(a, b), np.where(ways < 0, np.minimum(a, b), a))}
            for each in (low, high):
                each[name] = each[name].astype(first[name].dtype)
            before, after = function(low), function(high)
            excess = (before - after).reshape(len(a), -1).max(axis=1, initial=-np.inf)
            slack = 2 * tolerance.of(function.outputs[0], before, after)
            # The slope is climbed: two inputs that hardly differ keep every promise.
            step = np.abs(high[name].astype(np.float64) - low[name]).reshape(len(a), -1).max(axis=1, initial=0.0)
            return Measured(excess, slack, merit=by_slope(excess, slack, step, tolerance.relative(function.outputs[0])))

        def describe(probe: Population) -> str:
            moved = np.flatnonzero((probe[name] != probe[other(name)]).reshape(-1))
            return f"element {int(moved[0])} of {name} moves alone" if len(moved) == 1 else ""

        proposals: list[Propose] = [_one_element(domain, name, ways, whole) for whole in (True, False)]
        space = domain.twice([name])
        return hunt(measure, space, tolerance.epsilon, effort, unit=_UNIT, propose=proposals, describe=describe)


def _one_element(domain: Space, name: str, ways: Array, whole: bool) -> Propose:
    """Pairs that differ in one element, each in its turn: from end to end of the domain, or by a part of any size."""
    turn = [0]

    def proposed(rng: np.random.Generator, population: Population) -> Population:
        values = population[name]
        flat = values.reshape(len(values), -1).astype(np.float64)
        telling = _telling(values.shape[1:], ways)
        if not len(telling):
            return population
        places = telling[(turn[0] + np.arange(len(flat))) % len(telling)]
        turn[0] += len(flat)
        rows, second = np.arange(len(flat)), flat.copy()
        if whole:
            low, high = (each.reshape(-1)[places] for each in ends(domain, name, values.shape[1:]))
            flat[rows, places], second[rows, places] = low, high
        else:
            sizes = domain.widths(name) * 10.0 ** rng.uniform(-3.5, -0.3, len(flat))
            second[rows, places] += sizes * rng.choice([-1.0, 1.0], len(flat))
        return {**population, name: flat.reshape(values.shape), other(name): second.reshape(values.shape)}

    return proposed


def _telling(shape: Sequence[int], ways: Array) -> Array:
    """The elements of a sample of which something is promised."""
    return np.flatnonzero(np.broadcast_to(ways, tuple(shape)).reshape(-1))


CONTRACT = Monotonic
