"""The output changes by no more than a step from one sample in time to the next."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from kexport.bundle.signature import Array
from kexport.contracts.falsification.hunt import Measured, Propose, hunt
from kexport.contracts.filters.signals import Signal, ends, signals_of, with_lengths
from kexport.contracts.protocol import EFFORT, Effort, Function, Slack, Verdict
from kexport.errors import UsageError
from kexport.parity.space import Population, Space

_LENGTHS = (16, 100)
_TOO_SHORT = "no output has two samples in time: nothing can be told"


@dataclass(frozen=True)
class RateLimited:
    """`|y[n] - y[n-1]| <= step` for every element and every n.

    Attributes:
        step: by which the output may change from one sample in time to the next.
        axis: along which time runs, of the output, and of those inputs that have it.

    Raises:
        UsageError: the step is no finite number of at least 0, or the axis no whole number.
    """

    step: float
    axis: int = 1

    kind: ClassVar[str] = "rate_limited"

    def __post_init__(self) -> None:
        number = isinstance(self.step, int | float) and math.isfinite(self.step) and self.step >= 0
        if not number or not isinstance(self.axis, int):
            raise UsageError(
                "contract 'rate_limited' has no step", got=f"step {self.step}", expected="a finite number, 0 or more"
            )

    def words(self) -> str:
        """The promise as a sentence."""
        return f"changes by at most {self.step:g} from one sample in time to the next"

    def check(self, function: Function, domain: Space, tolerance: Slack, effort: Effort = EFFORT) -> Verdict:
        """Hunt for a larger step; the figure is the step."""
        signals, axis = signals_of(function, self.axis), function.axis(self.axis)
        space = with_lengths(domain, signals[0], function, _LENGTHS) if len(signals) == 1 else domain

        def measure(population: Population) -> Measured:
            y = function(population)
            self._require_time(y, axis)
            # Either of two outputs may be off by the slack.
            slack = 2 * tolerance.of(function.outputs[0], y)
            steps = np.abs(np.diff(y, axis=axis)).reshape(len(y), -1).max(axis=1, initial=-np.inf)
            return Measured(steps - self.step, slack, steps, self.step + slack)

        ways = [_jumps(space, signals)] if signals else []
        verdict = hunt(measure, space, tolerance.epsilon, effort, unit="a step", propose=ways)
        return verdict if verdict.ran else replace(verdict, detail=_TOO_SHORT)

    def _require_time(self, y: Array, axis: int) -> None:
        if not -y.ndim < axis < y.ndim or axis == 0:
            raise UsageError(
                "contract 'rate_limited': the output has no such axis in time",
                got=f"axis {self.axis}, an output of shape {y.shape}",
                expected="an axis behind the one that counts the batch",
            )


def _jumps(space: Space, signals: Sequence[Signal]) -> Propose:
    """Signals that jump from end to end of the domain, once or now and then."""

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
