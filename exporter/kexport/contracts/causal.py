"""What comes later does not change what came out before."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from kexport.bundle.signature import Array
from kexport.contracts.falsification.hunt import Measured, Propose, hunt
from kexport.contracts.falsification.pairs import first_of, second_of
from kexport.contracts.filters.signals import Signal, ends, signal_of, with_lengths
from kexport.contracts.protocol import EFFORT, Effort, Function, Slack, Verdict
from kexport.errors import UsageError
from kexport.parity.space import Population, Space, other

_LENGTHS = (16, 64)
_NUDGED = 3  # units in the last place
_TOO_SHORT = "no signal has two samples in time: nothing can be told"


@dataclass(frozen=True)
class Causal:
    """`y[n]` depends on `x[m]` with `m <= n` only.

    Attributes:
        axis: along which time runs, of input and output.

    Raises:
        UsageError: the axis is no whole number.
    """

    axis: int = 1

    kind: ClassVar[str] = "causal"

    def __post_init__(self) -> None:
        if not isinstance(self.axis, int):
            raise UsageError("contract 'causal' has no axis", got=self.axis, expected="a whole number")

    def words(self) -> str:
        """The promise as a sentence."""
        return "does not depend on later samples of the input"

    def check(self, function: Function, domain: Space, tolerance: Slack, effort: Effort = EFFORT) -> Verdict:
        """Hunt for two signals that part at some time, and whose outputs part earlier; the figure is by how much."""
        signal = signal_of(self.kind, function, self.axis)
        space = with_lengths(domain, signal, function, _LENGTHS).twice(function.inputs)

        def measure(population: Population) -> Measured:
            first, parting = first_of(population, function), _parting(population, signal, tolerance.epsilon)
            later = parting.reshape(-1, *[1] * (first[signal.name].ndim - 1))
            x, changed = first[signal.name], second_of(population, function)[signal.name]
            shared = np.moveaxis(np.arange(x.shape[signal.axis]) < later, -1, signal.axis)
            a, b = function(first), function({**first, signal.name: np.where(shared, x, changed)})
            apart = np.moveaxis(np.abs(b - a), signal.axis, 1)
            past = np.arange(apart.shape[1]) < parting[:, None]
            worst = np.where(past, apart.max(axis=tuple(range(2, apart.ndim)), initial=0.0), -np.inf)
            # Either of two outputs may be off by the slack.
            return Measured(worst.max(axis=1, initial=-np.inf), 2 * tolerance.of(function.outputs[0], a, b))

        def describe(probe: Population) -> str:
            return f"the inputs part at sample {_parting(probe, signal, tolerance.epsilon)[0]}"

        ways = [_futures(space, signal)]
        unit = "of an earlier output"
        verdict = hunt(measure, space, tolerance.epsilon, effort, unit=unit, propose=ways, describe=describe)
        return verdict if verdict.ran else replace(verdict, detail=_TOO_SHORT)


def _parting(population: Population, signal: Signal, epsilon: float) -> Array:
    """Of each pair, the time from which on the second signal counts: where they part, or half way if at once or never.

    Samples that a nudge has moved have not parted.
    """
    names = (signal.name, other(signal.name))
    x, changed = (np.moveaxis(population[name].astype(np.float64), signal.axis, 1) for name in names)
    same = np.abs(x - changed) <= _NUDGED * epsilon * np.maximum(np.abs(x), np.abs(changed))
    length = same.shape[1]
    shared = np.cumprod(same.reshape(*same.shape[:2], -1).all(axis=2), axis=1).sum(axis=1)
    return np.asarray(np.where(shared % length == 0, length // 2, shared))


def _futures(space: Space, signal: Signal) -> Propose:
    """Pairs that part at a random time: in all that follows or in one sample, by a little or from end to end."""

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
        found = np.where((time >= at) & (time < until), new, x)
        return {**population, other(signal.name): np.moveaxis(found, 1, signal.axis)}

    return proposed


CONTRACT = Causal
