"""Every element of the output lies within bounds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from kexport.contracts.falsification.hunt import Measured, hunt
from kexport.contracts.protocol import EFFORT, Effort, Function, Slack, Verdict
from kexport.errors import UsageError
from kexport.parity.space import Population, Space


@dataclass(frozen=True)
class Bounded:
    """`low <= y <= high` for every element of the output.

    Attributes:
        low: the least value; None for no bound.
        high: the largest value; None for no bound.

    Raises:
        UsageError: there is no bound, one is no finite number, or they are not in order.
    """

    low: float | None = None
    high: float | None = None

    kind: ClassVar[str] = "bounded"

    def __post_init__(self) -> None:
        given = [bound for bound in (self.low, self.high) if bound is not None]
        if not given or not all(map(math.isfinite, given)) or (len(given) == 2 and given[0] > given[1]):
            raise UsageError(
                "contract 'bounded' has no bounds that something could lie between",
                got=f"low {self.low}, high {self.high}",
                expected="finite numbers in order, or one of them",
            )

    def words(self) -> str:
        """The promise as a sentence."""
        if self.low is None or self.high is None:
            return f"is at most {self.high:g}" if self.low is None else f"is at least {self.low:g}"
        return f"lies between {self.low:g} and {self.high:g}"

    def check(self, function: Function, domain: Space, tolerance: Slack, effort: Effort = EFFORT) -> Verdict:
        """Hunt for an element beyond a bound; the figure is how far it lies beyond."""
        low = -math.inf if self.low is None else self.low
        high = math.inf if self.high is None else self.high

        def measure(population: Population) -> Measured:
            values = function(population)
            flat = values.reshape(len(values), -1)
            excess = np.maximum(low - flat, flat - high).max(axis=1, initial=-np.inf)
            return Measured(excess, tolerance.of(function.outputs[0], values))

        unit = "beyond the bounds"
        return hunt(measure, domain, tolerance.epsilon, effort, unit=unit)


CONTRACT = Bounded
