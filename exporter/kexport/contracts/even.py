"""The output is the same for an input and its negative."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kexport.contracts.falsification.mirror import mirrored
from kexport.contracts.protocol import Experiment, Verdict, check_by_experiment


@dataclass(frozen=True)
class Even:
    """`f(-x) = f(x)`."""

    kind: ClassVar[str] = "even"
    check = check_by_experiment

    def words(self) -> str:
        """The promise as a sentence."""
        return "is the same for an input and its negative"

    def examine(self, experiment: Experiment) -> Verdict:
        """Search for an input whose negative gives another output; the figure is the difference."""
        return mirrored(1.0, experiment)


CONTRACT = Even
