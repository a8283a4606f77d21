"""Every element of the output lies within bounds."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from kexport.contracts.falsification.hunt import Measured, falsify
from kexport.contracts.protocol import Experiment, Verdict, check_by_experiment
from kexport.errors import UsageError
from kexport.parity.space import Population


@dataclass(frozen=True)
class Bounded:
    """`low <= y <= high` for every element of the output.

    Attributes:
        low: the smallest allowed value; None for no bound.
        high: the largest allowed value; None for no bound.

    Raises:
        UsageError: there is no bound, a bound is not finite, or `low` exceeds `high`.
    """

    low: float | None = None
    high: float | None = None

    kind: ClassVar[str] = "bounded"
    check = check_by_experiment

    def __post_init__(self) -> None:
        bounds = [bound for bound in (self.low, self.high) if bound is not None]
        if not bounds or not all(map(math.isfinite, bounds)) or (len(bounds) == 2 and bounds[0] > bounds[1]):
            raise UsageError(
                "contract 'bounded' needs bounds",
                got=f"low {self.low}, high {self.high}",
                expected="one finite number or two, low not above high",
            )

    def words(self) -> str:
        """The promise as a sentence."""
        if self.low is None or self.high is None:
            return f"is at most {self.high:g}" if self.low is None else f"is at least {self.low:g}"
        return f"lies between {self.low:g} and {self.high:g}"

    def examine(self, experiment: Experiment) -> Verdict:
        """Search for an element beyond a bound; the figure is how far beyond it lies."""
        low = -math.inf if self.low is None else self.low
        high = math.inf if self.high is None else self.high

        seen = [(0, math.inf, -math.inf)]

        def measure(population: Population) -> Measured:
            values = experiment.function(population)
            flat = values.reshape(len(values), -1)
            excess = np.maximum(low - flat, flat - high).max(axis=1, initial=-np.inf)
            finite = flat[np.isfinite(flat)]
            tried, least, most = seen[-1]
            seen.append((tried + len(values), finite.min(initial=least), finite.max(initial=most)))
            return Measured(excess, experiment.slack_of(values))

        verdict = falsify(experiment, measure, unit="beyond the bounds")
        # How many more there was time for depends on the machine: the verdict tells of those that it counts.
        _, least, most = next(each for each in reversed(seen) if each[0] <= verdict.tried)
        ends = {"least": float(least), "largest": float(most)} if least <= most else {}
        verdict = replace(verdict, metrics={**verdict.metrics, **ends})
        return replace(verdict, untested=self._far_from(least, most)) if verdict.passed else verdict

    def _far_from(self, least: float, most: float) -> str:
        """Which bound no sample came near, in words: within a tenth of the range, or of one bound its own spread."""
        spread = most - least
        if not math.isfinite(spread):
            return ""
        reach = spread if self.low is None or self.high is None else (self.high - self.low) / 10
        far = []
        if self.low is not None and least - self.low > reach:
            far.append(f"the lower bound {self.low:g}, the least is {least:.4g}")
        if self.high is not None and self.high - most > reach:
            far.append(f"the upper bound {self.high:g}, the largest is {most:.4g}")
        return f"no sample comes near {', or '.join(far)}" if far else ""


CONTRACT = Bounded
