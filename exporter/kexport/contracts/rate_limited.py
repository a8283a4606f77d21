"""The output changes by at most a step from one sample in time to the next."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from kexport.bundle.signature import Array
from kexport.contracts.falsification.hunt import Measured, Propose, falsify
from kexport.contracts.filters.signals import Signal, ends, signals_of, with_lengths
from kexport.contracts.protocol import Experiment, Verdict, check_by_experiment
from kexport.errors import UsageError
from kexport.parity.space import Population, Space

_LENGTHS = (16, 100)
_TOO_SHORT = "no output has two samples in time, so no step can be judged"


@dataclass(frozen=True)
class RateLimited:
    """`|y[n] - y[n-1]| <= step` for every element and every n.

    Attributes:
        step: the largest allowed change from one sample in time to the next.
        axis: the time axis of the output, and of the inputs that have it.

    Raises:
        UsageError: the step is negative or not finite, or the axis is not an integer.
    """

    step: float
    axis: int = 1

    kind: ClassVar[str] = "rate_limited"
    check = check_by_experiment

    def __post_init__(self) -> None:
        number = isinstance(self.step, int | float) and math.isfinite(self.step) and self.step >= 0
        if not number or not isinstance(self.axis, int):
            raise UsageError(
                "contract 'rate_limited' needs a step and an axis",
                got=f"step {self.step}, axis {self.axis}",
                expected="a finite step of at least 0, and an integer axis",
            )

    def words(self) -> str:
        """The promise as a sentence."""
        return f"changes by at most {self.step:g} from one sample in time to the next"

    def examine(self, experiment: Experiment) -> Verdict:
        """Search for a larger step; the figure is the step."""
        function, space = experiment.function, experiment.space
        signals, axis = signals_of(function, self.axis), function.axis(self.axis)
        if len(signals) == 1:
            space = with_lengths(space, signals[0], function, _LENGTHS)

        def measure(population: Population) -> Measured:
            y = function(population)
            self._require_time(y, axis)
            # Each of the two outputs may be off by the slack.
            slack = 2 * experiment.slack_of(y)
            steps = np.abs(np.diff(y, axis=axis)).reshape(len(y), -1).max(axis=1, initial=-np.inf)
            return Measured(steps - self.step, slack, steps, self.step + slack)

        ways = [_jumps(space, signals)] if signals else []
        verdict = falsify(experiment, measure, unit="a step", space=space, propose=ways)
        return verdict if verdict.ran else replace(verdict, detail=_TOO_SHORT)

    def _require_time(self, y: Array, axis: int) -> None:
        if not -y.ndim < axis < y.ndim or axis == 0:
            raise UsageError(
                "contract 'rate_limited': the output has no such time axis",
                got=f"axis {self.axis}, an output of shape {y.shape}",
                expected="an axis other than the batch",
            )


def _jumps(space: Space, signals: Sequence[Signal]) -> Propose:
    """Signals that jump between the ends of the domain, once or several times."""

    def jumping(rng: np.random.Generator, x: Array, signal: Signal) -> Array:
        low, high = ends(space, signal.name, x.shape[1:])
        time: tuple[int, ...] = np.moveaxis(x, signal.axis, -1).shape
        often = rng.choice([1.0, 0.3, 2.0 / max(2, time[-1])], (*time[:-1], 1))
        flips: Array = np.cumsum(rng.random(time) < often, axis=-1) % 2 == 1
        levels: Array = np.where(np.moveaxis(flips, -1, signal.axis), high, low)
        return levels.astype(x.dtype)

    def proposed(rng: np.random.Generator, population: Population) -> Population:
        return {**population, **{each.name: jumping(rng, population[each.name], each) for each in signals}}

    return proposed


CONTRACT = RateLimited
