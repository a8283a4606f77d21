"""Later samples of the input do not change earlier samples of the output."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from kexport.bundle.signature import Array
from kexport.contracts.falsification.hunt import Measured, Propose, falsify
from kexport.contracts.falsification.pairs import first_of, second_of
from kexport.contracts.filters.signals import Signal, ends, signal_of, with_lengths
from kexport.contracts.protocol import Experiment, Verdict, check_by_experiment
from kexport.errors import UsageError
from kexport.parity.space import Population, Space, other

_LENGTHS = (16, 64)
_NUDGED = 3  # units in the last place
_TOO_SHORT = "no signal has two samples in time, so causality cannot be judged"


@dataclass(frozen=True)
class Causal:
    """`y[n]` depends on `x[m]` with `m <= n` only.

    Attributes:
        axis: the time axis of input and output.

    Raises:
        UsageError: the axis is not an integer.
    """

    axis: int = 1

    kind: ClassVar[str] = "causal"
    check = check_by_experiment

    def __post_init__(self) -> None:
        if not isinstance(self.axis, int):
            raise UsageError("contract 'causal' needs an axis", got=self.axis, expected="an integer")

    def words(self) -> str:
        """The promise as a sentence."""
        return "does not depend on later samples of the input"

    def examine(self, experiment: Experiment) -> Verdict:
        """Search for two signals whose outputs differ before the signals do; the figure is the difference."""
        function, epsilon = experiment.function, experiment.slack.epsilon
        signal = signal_of(self.kind, function, self.axis)
        space = with_lengths(experiment.space, signal, function, _LENGTHS).twice(function.inputs)

        def measure(population: Population) -> Measured:
            first, parting = first_of(population, function), _parting(population, signal, epsilon)
            later = parting.reshape(-1, *[1] * (first[signal.name].ndim - 1))
            x, changed = first[signal.name], second_of(population, function)[signal.name]
            shared = np.moveaxis(np.arange(x.shape[signal.axis]) < later, -1, signal.axis)
            a, b = function(first), function({**first, signal.name: np.where(shared, x, changed)})
            apart = np.moveaxis(np.abs(b - a), signal.axis, 1)
            past = np.arange(apart.shape[1]) < parting[:, None]
            worst = np.where(past, apart.max(axis=tuple(range(2, apart.ndim)), initial=0.0), -np.inf)
            # Each of the two outputs may be off by the slack.
            return Measured(worst.max(axis=1, initial=-np.inf), 2 * experiment.slack_of(a, b))

        def describe(probe: Population) -> str:
            return f"the inputs diverge at sample {_parting(probe, signal, epsilon)[0]}"

        ways, unit = [_futures(space, signal)], "of an earlier output"
        verdict = falsify(experiment, measure, unit=unit, space=space, propose=ways, describe=describe)
        return verdict if verdict.ran else replace(verdict, detail=_TOO_SHORT)


def _parting(population: Population, signal: Signal, epsilon: float) -> Array:
    """For each pair, the time from which the second signal is used: where the two part.

    Signals that differ from the start, or nowhere, part half way. Samples that differ by a nudge have not parted.
    """
    names = (signal.name, other(signal.name))
    x, changed = (np.moveaxis(population[name].astype(np.float64), signal.axis, 1) for name in names)
    same = np.abs(x - changed) <= _NUDGED * epsilon * np.maximum(np.abs(x), np.abs(changed))
    length = same.shape[1]
    shared = np.cumprod(same.reshape(*same.shape[:2], -1).all(axis=2), axis=1).sum(axis=1)
    return np.asarray(np.where(shared % length == 0, length // 2, shared))


def _futures(space: Space, signal: Signal) -> Propose:
    """Pairs that part at a random time: in all later samples or in one, by a little or from end to end."""

    def proposed(rng: np.random.Generator, population: Population) -> Population:
        x = np.moveaxis(population[signal.name].astype(np.float64), signal.axis, 1)
        new = np.moveaxis(population[other(signal.name)].astype(np.float64), signal.axis, 1)
        low, high = (
            np.moveaxis(each[None], signal.axis, 1)
            for each in ends(space, signal.name, population[signal.name].shape[1:])
        )
        count, length = x.shape[:2]
        if length < 2:
            return population
        column = (count, *[1] * (x.ndim - 1))
        new = np.where(rng.random(column) < 0.5, new, np.where(x - low > high - x, low, high))
        at = rng.integers(1, length, column)
        time = np.arange(length).reshape(1, -1, *[1] * (x.ndim - 2))
        until = np.where(rng.random(column) < 0.5, at + 1, length)
        changed = np.where((time >= at) & (time < until), new, x)
        return {**population, other(signal.name): np.moveaxis(changed, 1, signal.axis)}

    return proposed


CONTRACT = Causal
