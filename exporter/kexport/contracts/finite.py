"""No element of the output is infinite, or no number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from kexport.contracts.falsification.hunt import Measured, hunt
from kexport.contracts.protocol import EFFORT, Effort, Function, Slack, Verdict
from kexport.parity.space import Population, Space


@dataclass(frozen=True)
class Finite:
    """Every element of the output is a finite number, for every finite input of the domain."""

    kind: ClassVar[str] = "finite"

    def words(self) -> str:
        """The promise as a sentence."""
        return "is finite wherever the input is"

    def check(self, function: Function, domain: Space, tolerance: Slack, effort: Effort = EFFORT) -> Verdict:
        """Hunt for NaN and infinity; the figure is how many elements of a sample are none."""
        largest = float(np.finfo(np.float32).max)

        def measure(population: Population) -> Measured:
            flat = function(population).reshape(len(next(iter(population.values()))), -1)
            bad = ~np.isfinite(flat)
            count = bad.sum(axis=1).astype(np.float64)
            # The way to an overflow leads over large numbers.
            size = np.abs(np.where(bad, 0.0, flat)).max(axis=1, initial=0.0)
            near = np.log1p(size) / np.log1p(largest)
            merit = np.where(count > 0, 1.0 + count, np.minimum(near + 1e-9, 1.0))
            # What is no number stays none, even where an ulp of the inputs would make it one: nothing is forgiven.
            return Measured(np.where(bad.any(axis=1), np.inf, 0.0), 0 * count, count, 0 * count, merit)

        return hunt(measure, domain, tolerance.epsilon, effort, unit="elements")


CONTRACT = Finite
