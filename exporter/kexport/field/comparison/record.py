"""The checks and notes of a comparison under way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from kexport.bundle.facts import Note
from kexport.bundle.report import Check, Observer, Report


@dataclass
class ComparisonRecord:
    """Collects checks and notes, and shows each check to an observer at once."""

    observe: Observer
    checks: list[Check] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    def add(self, *checks: Check) -> None:
        """Record checks."""
        for check in checks:
            self.checks.append(check)
            self.observe(check)

    def note(self, notes: Iterable[Note]) -> None:
        """Record a note for the reader."""
        self.notes += notes

    def report(self, title: str) -> Report:
        """The report, with each note once."""
        return Report(title, tuple(self.checks), tuple(dict.fromkeys(self.notes)))
