"""The result of comparing one output, and the units of its figures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from kexport.bundle.facts import IDENTICAL, Fact
from kexport.bundle.json_files import number
from kexport.bundle.json_text import JsonObject
from kexport.bundle.report import Measurement

UNIT = "of output scale"
UNIT_EXACT = "elements that differ"
UNIT_DIFFERENCE = "of difference"
UNIT_DECIBELS = "dB"


@dataclass(frozen=True)
class Element:
    """One element of an output, next to the truth.

    Attributes:
        golden: the label of the golden.
        index: the index of the element in the output.
        value: what the runtime computed; numbers that JSON cannot hold as text.
        truth: the right value, in the same form.
        text: all of that in words; empty when the two are equal.
    """

    golden: str
    index: Sequence[int]
    value: float | str
    truth: float | str
    text: str

    def to_json(self) -> JsonObject:
        """The element among the metrics of a report."""
        return {"golden": self.golden, "index": list(self.index), "value": self.value, "truth": self.truth}


@dataclass(frozen=True)
class Outcome:
    """The result of comparing one output over all goldens.

    Attributes:
        figure: the largest distance; None when no number could be compared.
        limit: the largest allowed figure (in decibels: the smallest).
        unit: the unit of figure and limit.
        problems: one sentence per difference; empty when the output is right.
        remarks: further remarks: where the largest distance lies, which elements were excluded.
        ran: False when the output cannot be judged at all.
        worst: the element with the largest distance, if numbers were compared.
        metrics: the figures of the comparison by name; `OutputComparison` lists them.
    """

    figure: float | None
    limit: float
    unit: str
    problems: tuple[str, ...]
    remarks: tuple[str, ...] = ()
    ran: bool = True
    worst: Element | None = None
    metrics: JsonObject = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether the output is right in every case."""
        return self.ran and not self.problems

    @property
    def identical(self) -> bool:
        """Whether there is nothing to report: every element equals the truth."""
        return not self.problems and not self.remarks

    @property
    def sqnr_db(self) -> float | None:
        """The ratio of signal to quantisation noise, in dB; None where it has no finite value."""
        ratio = self.metrics.get("sqnr_db")
        return None if ratio is None else number(ratio)

    @property
    def excludes(self) -> bool:
        """Whether some elements were excluded, because the model is ill-conditioned there."""
        return bool(self.metrics.get("set_apart"))

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The facts that a check on it states."""
        if self.identical:
            return (IDENTICAL,)
        return self.problems or (f"worst: {self.remarks[0]}", *self.remarks[1:])

    @property
    def measured(self) -> Measurement:
        """Figure and limit as a check holds them; None for an infinite figure."""
        finite = self.figure is not None and math.isfinite(self.figure)
        return Measurement(self.figure if finite else None, self.limit, self.unit)
