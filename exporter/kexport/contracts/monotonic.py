"""The output never falls, or never rises, as the input grows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from kexport.bundle.signature import Array
from kexport.contracts.falsification.hunt import Measured, Propose, falsify
from kexport.contracts.falsification.pairs import by_slope, first_of, second_of
from kexport.contracts.falsification.sweep import sweeps
from kexport.contracts.filters.signals import ends, only_input
from kexport.contracts.protocol import Experiment, Verdict, check_by_experiment
from kexport.errors import UsageError
from kexport.parity.space import Population, Space, other

_UNIT = "against the direction"


@dataclass(frozen=True)
class Monotonic:
    """`f(x') >= f(x)` for every `x' >= x`, element by element of the output; `<=` for direction -1.

    Attributes:
        direction: 1, -1, or 0 for no promise; a single direction for all features, or one for each feature of the last
            axis.

    Raises:
        UsageError: a direction is something else, or all are 0.
    """

    direction: int | tuple[int, ...] = 1

    kind: ClassVar[str] = "monotonic"
    check = check_by_experiment

    def __post_init__(self) -> None:
        direction = self.direction
        ways = list(direction) if isinstance(direction, tuple | list) else [direction]
        if not all(isinstance(way, int) and way in (-1, 0, 1) for way in ways) or not any(ways):
            raise UsageError(
                "contract 'monotonic' needs a direction",
                got=direction,
                expected="1, -1 or 0, or one of these for each feature, not all of them 0",
            )
        if isinstance(direction, list):
            object.__setattr__(self, "direction", tuple(direction))

    def words(self) -> str:
        """The promise as a sentence."""
        if isinstance(self.direction, int):
            return "never falls as the input grows" if self.direction > 0 else "never rises as the input grows"
        counts = [f"rises with {self.direction.count(1)}"] * (1 in self.direction)
        counts += [f"falls with {self.direction.count(-1)}"] * (-1 in self.direction)
        return f"never goes against its direction: {', '.join(counts)} of {len(self.direction)} features"

    def examine(self, experiment: Experiment) -> Verdict:
        """Search for two ordered inputs whose outputs are not ordered; the figure is by how much."""
        function, space = experiment.function, experiment.space
        name = only_input(self.kind, function)
        features = function.spec(name).shape[-1] if function.spec(name).shape else None
        if isinstance(self.direction, tuple) and features != len(self.direction):
            raise UsageError(
                "contract 'monotonic' does not fit the input",
                got=f"{features} features on the last axis",
                expected=f"{len(self.direction)}, one for each direction",
            )
        ways = np.asarray(self.direction)
        relative = experiment.slack.relative(function.outputs[0])

        changes = [0.0, 0.0]

        def measure(population: Population) -> Measured:
            first, second = first_of(population, function), second_of(population, function)
            a, b = first[name].astype(np.float64), second[name].astype(np.float64)
            low = {**first, name: np.where(ways > 0, np.minimum(a, b), np.where(ways < 0, np.maximum(a, b), a))}
            high = {**first, name: np.where(ways > 0, np.maximum(a, b), np.where(ways < 0, np.minimum(a, b), a))}
            for each in (low, high):
                each[name] = each[name].astype(first[name].dtype)
            before, after = function(low), function(high)
            excess = (before - after).reshape(len(a), -1).max(axis=1, initial=-np.inf)
            changes[:] = [max(changes[0], _largest(before - after)), max(changes[1], _largest(before))]
            slack = 2 * experiment.slack_of(before, after)
            # The search climbs the slope: two inputs that hardly differ break no promise.
            step = np.abs(high[name].astype(np.float64) - low[name]).reshape(len(a), -1).max(axis=1, initial=0.0)
            return Measured(excess, slack, merit=by_slope(excess, slack, step, relative))

        def describe(probe: Population) -> str:
            moved = np.flatnonzero((probe[name] != probe[other(name)]).reshape(-1))
            return f"only element {int(moved[0])} of {name} moves" if len(moved) == 1 else ""

        pairs = space.twice([name])
        ranges: list[Propose] = [_one_element(space, name, ways, whole) for whole in (True, False)]
        verdict = falsify(experiment, measure, unit=_UNIT, space=pairs, propose=ranges, describe=describe)
        verdict = replace(verdict, metrics={**verdict.metrics, "curves": sweeps(experiment, name, ways)})
        slack = relative * max(changes[1], 1e-300)
        constant = verdict.passed and function.varies and changes[0] <= slack
        return replace(verdict, untested=f"{name} does not change the output") if constant else verdict


def _largest(values: Array) -> float:
    finite = np.abs(values[np.isfinite(values)])
    return float(finite.max(initial=0.0))


def _one_element(space: Space, name: str, ways: Array, whole: bool) -> Propose:
    """Pairs that differ in one element, each in its turn: from end to end of the domain, or by a part of any size."""
    turn = [0]

    def proposed(rng: np.random.Generator, population: Population) -> Population:
        values = population[name]
        flat = values.reshape(len(values), -1).astype(np.float64)
        constrained = _constrained(values.shape[1:], ways)
        if not len(constrained):
            return population
        places = constrained[(turn[0] + np.arange(len(flat))) % len(constrained)]
        turn[0] += len(flat)
        rows, second = np.arange(len(flat)), flat.copy()
        if whole:
            low, high = (each.reshape(-1)[places] for each in ends(space, name, values.shape[1:]))
            flat[rows, places], second[rows, places] = low, high
        else:
            sizes = space.widths(name) * 10.0 ** rng.uniform(-3.5, -0.3, len(flat))
            second[rows, places] += sizes * rng.choice([-1.0, 1.0], len(flat))
        return {**population, name: flat.reshape(values.shape), other(name): second.reshape(values.shape)}

    return proposed


def _constrained(shape: Sequence[int], ways: Array) -> Array:
    """The elements of a sample that have a direction."""
    return np.flatnonzero(np.broadcast_to(ways, tuple(shape)).reshape(-1))


CONTRACT = Monotonic
