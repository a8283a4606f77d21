"""The elements of the output along one axis add up to a total."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from kexport.contracts._sums import summed
from kexport.contracts.falsification.hunt import Measured, hunt
from kexport.contracts.protocol import EFFORT, Effort, Function, Slack, Verdict
from kexport.errors import UsageError
from kexport.parity.space import Population, Space


@dataclass(frozen=True)
class SumsTo:
    """`sum of y along the axis = total`.

    Attributes:
        total: the sum.
        axis: of the output; the batch is axis 0.

    Raises:
        UsageError: the total is no finite number, or the axis no whole one.
    """

    total: float = 1.0
    axis: int = -1

    kind: ClassVar[str] = "sums_to"

    def __post_init__(self) -> None:
        if not isinstance(self.total, int | float) or not math.isfinite(self.total) or not isinstance(self.axis, int):
            raise UsageError(
                "contract 'sums_to' has no total",
                got=f"total {self.total}, axis {self.axis}",
                expected="a finite number, and a whole one for the axis",
            )

    def words(self) -> str:
        """The promise as a sentence."""
        return f"adds up to {self.total:g} along axis {self.axis}"

    def check(self, function: Function, domain: Space, tolerance: Slack, effort: Effort = EFFORT) -> Verdict:
        """Hunt for elements that add up to something else; the figure is how far the sum is off."""

        def measure(population: Population) -> Measured:
            values = function(population)
            sums, count = summed(values, function.axis(self.axis), self.kind)
            excess = np.abs(sums - self.total).reshape(len(values), -1).max(axis=1, initial=0.0)
            # What is wrong with a denominator is wrong with every element alike: it does not cancel out.
            return Measured(excess, count * tolerance.of(function.outputs[0], values))

        return hunt(measure, domain, tolerance.epsilon, effort, unit="off the total")


CONTRACT = SumsTo
