"""The output changes by no more than a step from one sample in time to the next."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from kexport.bundle.signature import Array
from kexport.contracts._contract import EFFORT, Effort, Verdict
from kexport.contracts._function import Function
from kexport.contracts._hunt import Measured, Propose, hunt
from kexport.contracts._signals import Signal, ends, signal_of, with_lengths
from kexport.contracts._slack import Slack
from kexport.errors import UsageError
from kexport.parity.space import Population, Space

_LENGTHS = (16, 100)
_TOO_SHORT = "no output has two samples in time: nothing can be told"


@dataclass(frozen=True)
class RateLimited:
    """`|y[n] - y[n-1]| <= step` for every element and every n.

    Attributes:
        step: by which the output may change from one sample in time to the next.
        axis: along which time runs, of input and output.

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
        signal = signal_of(self.kind, function, self.axis)
        space = with_lengths(domain, signal, function, _LENGTHS)

        def measure(population: Population) -> Measured:
            y = function(population)
            # Either of two outputs may be off by the slack.
            slack = 2 * tolerance.of(function.outputs[0], y)
            steps = np.abs(np.diff(y, axis=signal.axis)).reshape(len(y), -1).max(axis=1, initial=-np.inf)
            return Measured(steps - self.step, slack, steps, self.step + slack)

        verdict = hunt(measure, space, tolerance.epsilon, effort, unit="a step", propose=[_jumps(space, signal)])
        return verdict if verdict.ran else replace(verdict, detail=_TOO_SHORT)


def _jumps(space: Space, signal: Signal) -> Propose:
    """Signals that jump from end to end of the domain, once or now and then."""

    def proposed(rng: np.random.Generator, population: Population) -> Population:
        x = population[signal.name]
        low, high = ends(space, signal.name, x.shape[1:])
        time: tuple[int, ...] = np.moveaxis(x, signal.axis, -1).shape
        often = rng.choice([1.0, 0.3, 2.0 / max(2, time[-1])], (*time[:-1], 1))
        flips: Array = np.cumsum(rng.random(time) < often, axis=-1) % 2 == 1
        levels = np.where(np.moveaxis(flips, -1, signal.axis), high, low)
        return {**population, signal.name: levels.astype(x.dtype)}

    return proposed


CONTRACT = RateLimited
