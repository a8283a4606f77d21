"""The output of the opposite input is the opposite output."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kexport.contracts.falsification.mirror import mirrored
from kexport.contracts.protocol import EFFORT, Effort, Function, Slack, Verdict
from kexport.parity.space import Space


@dataclass(frozen=True)
class Odd:
    """`f(-x) = -f(x)`."""

    kind: ClassVar[str] = "odd"

    def words(self) -> str:
        """The promise as a sentence."""
        return "becomes its opposite with the input"

    def check(self, function: Function, domain: Space, tolerance: Slack, effort: Effort = EFFORT) -> Verdict:
        """Hunt for an input whose opposite does not give the opposite; the figure is by how much."""
        return mirrored(-1.0, function, domain, tolerance, effort)


CONTRACT = Odd
