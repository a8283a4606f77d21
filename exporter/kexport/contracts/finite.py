"""Every element of the output is a finite number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from kexport.contracts.falsification.hunt import Measured, falsify
from kexport.contracts.protocol import Experiment, Verdict, check_by_experiment
from kexport.parity.space import Population


@dataclass(frozen=True)
class Finite:
    """Every element of the output is a finite number, for every finite input of the domain."""

    kind: ClassVar[str] = "finite"
    check = check_by_experiment

    def words(self) -> str:
        """The promise as a sentence."""
        return "is finite wherever the input is"

    def examine(self, experiment: Experiment) -> Verdict:
        """Search for NaN and infinity; the figure is how many elements of a sample are not finite."""
        largest = float(np.finfo(np.float32).max)

        def measure(population: Population) -> Measured:
            flat = experiment.function(population).reshape(len(next(iter(population.values()))), -1)
            bad = ~np.isfinite(flat)
            count = bad.sum(axis=1).astype(np.float64)
            # Large numbers lead to an overflow, so the search climbs them.
            size = np.abs(np.where(bad, 0.0, flat)).max(axis=1, initial=0.0)
            near = np.log1p(size) / np.log1p(largest)
            merit = np.where(count > 0, 1.0 + count, np.minimum(near + 1e-9, 1.0))
            # A value that is not finite is a violation even where an ulp of the inputs would make it finite.
            return Measured(np.where(bad.any(axis=1), np.inf, 0.0), 0 * count, count, 0 * count, merit)

        return falsify(experiment, measure, unit="elements")


CONTRACT = Finite
