"""The result of checking a bundle: every check that was asked for, with its figure and limit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from kexport.errors import FAILED, UNCHECKED

SCHEMA = 1


@dataclass(frozen=True)
class Check:
    """One thing that was checked, or that was to be checked and could not be.

    Attributes:
        kind: `"digest"`, `"signature"`, `"parity"` for the goldens, `"witness"` for inputs that a search found before,
            `"search"` for the worst input that was found now, `"contract"` for a promise, `"runtime"` for a runtime
            that could not run, or `"export"` for a format that could not be written.
        passed: whether it ran and what was checked is right.
        artifact: the artifact's path in the bundle.
        runtime: the name of the runtime.
        output: the name of the output.
        figure: what was measured, in `unit`.
        limit: what it may be at most, in `unit`.
        unit: of figure and limit.
        detail: what a person needs to know about it.
        ran: False when the check could not be made at all.
        metrics: other figures of it by name, such as `ulp` and `sqnr_db`: numbers, texts, and lists of them.
        contract: the promise, as text: `bounded(low=0, high=1)`.
    """

    kind: str
    passed: bool
    artifact: str | None = None
    runtime: str | None = None
    output: str | None = None
    figure: float | None = None
    limit: float | None = None
    unit: str | None = None
    detail: str = ""
    ran: bool = True
    metrics: Mapping[str, Any] = field(default_factory=dict)
    contract: str | None = None

    @property
    def compared(self) -> bool:
        """Whether it set numbers that a runtime computed against the truth."""
        return self.kind == "parity" and self.ran and self.figure is not None

    def to_json(self) -> dict[str, Any]:
        """The check's entry in a report; a figure that is no number is null, and the detail says so."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Check:
        """The inverse of `to_json`; keys of a later writer are ignored."""
        return cls(**{each.name: data[each.name] for each in fields(cls) if each.name in data})


@dataclass(frozen=True)
class Report:
    """All checks of one bundle.

    Attributes:
        bundle: its name.
        checks: every check, passed or not.
        notes: what a reader should know besides, such as the runtimes that were left out.
    """

    bundle: str
    checks: tuple[Check, ...]
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether numbers were compared at all, and no check failed."""
        return any(check.compared for check in self.checks) and all(check.passed for check in self.checks)

    @property
    def exit_code(self) -> int:
        """0 all passed; 1 a check failed; 3 a check could not be made, or no numbers were compared."""
        if self.passed:
            return 0
        return FAILED if any(not check.passed and check.ran for check in self.checks) else UNCHECKED

    def to_json(self) -> dict[str, Any]:
        """The content of `report.json`, and what `--json` prints."""
        return {
            "schema": SCHEMA,
            "bundle": self.bundle,
            "passed": self.passed,
            "checks": [check.to_json() for check in self.checks],
            "notes": list(self.notes),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Report:
        """The inverse of `to_json`."""
        return cls(data["bundle"], tuple(map(Check.from_json, data["checks"])), tuple(data.get("notes", ())))
