"""The output is the same for an input and its opposite."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kexport.contracts.falsification.mirror import mirrored
from kexport.contracts.protocol import EFFORT, Effort, Function, Slack, Verdict
from kexport.parity.space import Space


@dataclass(frozen=True)
class Even:
    """`f(-x) = f(x)`."""

    kind: ClassVar[str] = "even"

    def words(self) -> str:
        """The promise as a sentence."""
        return "is the same for an input and its opposite"

    def check(self, function: Function, domain: Space, tolerance: Slack, effort: Effort = EFFORT) -> Verdict:
        """Hunt for an input whose opposite gives something else; the figure is the difference."""
        return mirrored(1.0, function, domain, tolerance, effort)


CONTRACT = Even
