"""The output of the negated input is the negated output."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kexport.contracts.falsification.mirror import mirrored
from kexport.contracts.protocol import Experiment, Verdict, check_by_experiment


@dataclass(frozen=True)
class Odd:
    """`f(-x) = -f(x)`."""

    kind: ClassVar[str] = "odd"
    check = check_by_experiment

    def words(self) -> str:
        """The promise as a sentence."""
        return "changes its sign with the input"

    def examine(self, experiment: Experiment) -> Verdict:
        """Search for an input whose negative does not give the negated output; the figure is the difference."""
        return mirrored(-1.0, experiment)


CONTRACT = Odd
