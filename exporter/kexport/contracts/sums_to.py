"""The elements of the output along one axis add up to a total."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from kexport.contracts._sums import summed
from kexport.contracts.falsification.hunt import Measured, falsify
from kexport.contracts.protocol import Experiment, Verdict, check_by_experiment
from kexport.errors import UsageError
from kexport.parity.space import Population


@dataclass(frozen=True)
class SumsTo:
    """`sum of y along the axis = total`.

    Attributes:
        total: the sum.
        axis: the axis of the output; the batch is axis 0.

    Raises:
        UsageError: the total is not finite, or the axis is not an integer.
    """

    total: float = 1.0
    axis: int = -1

    kind: ClassVar[str] = "sums_to"
    check = check_by_experiment

    def __post_init__(self) -> None:
        if not isinstance(self.total, int | float) or not math.isfinite(self.total) or not isinstance(self.axis, int):
            raise UsageError(
                "contract 'sums_to' needs a total and an axis",
                got=f"total {self.total}, axis {self.axis}",
                expected="a finite total and an integer axis",
            )

    def words(self) -> str:
        """The promise as a sentence."""
        return f"adds up to {self.total:g} along axis {self.axis}"

    def examine(self, experiment: Experiment) -> Verdict:
        """Search for elements with another sum; the figure is how far the sum is off."""
        function = experiment.function

        def measure(population: Population) -> Measured:
            values = function(population)
            sums, count = summed(values, function.axis(self.axis), self.kind)
            excess = np.abs(sums - self.total).reshape(len(values), -1).max(axis=1, initial=0.0)
            # An error in a shared denominator affects every element alike: it does not cancel out.
            return Measured(excess, count * experiment.slack_of(values))

        return falsify(experiment, measure, unit="off the total")


CONTRACT = SumsTo
