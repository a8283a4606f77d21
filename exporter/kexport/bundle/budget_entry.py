"""The entry of a budget that an artifact in a small precision was built with, and what came of it at the build."""

from __future__ import annotations

from dataclasses import dataclass

from kexport.bundle.json_files import flag, list_of, member, number, object_of, optional, text
from kexport.bundle.json_text import JsonObject

#: Where the entry of an artifact has them.
BUDGETS = "budgets"


@dataclass(frozen=True)
class BudgetEntry:
    """A budget of one artifact.

    Attributes:
        text: as it was given, such as `size=0.3x`. One that this kexport cannot read stays as it is.
        passed: whether it was kept at the build, in every runtime.
        figure: the worst that was measured, in `unit`; None for times, which differ from build to build, and where
            nothing could be measured.
        unit: of the figure.
    """

    text: str
    passed: bool
    figure: float | None = None
    unit: str = ""

    def __str__(self) -> str:
        figure = "" if self.figure is None else f" ({self.figure:,.4g} {self.unit}".rstrip() + ")"
        return f"{self.text} {'kept' if self.passed else 'missed'}{figure}"

    def to_json(self) -> dict[str, object]:
        """The entry in the manifest."""
        figure = {} if self.figure is None else {"figure": self.figure, "unit": self.unit}
        return {"budget": self.text, "passed": self.passed, **figure}

    @classmethod
    def from_json(cls, data: JsonObject) -> BudgetEntry:
        """The inverse of `to_json`; raises `FieldError`."""
        return cls(
            member(data, "budget", text),
            member(data, "passed", flag),
            float(member(data, "figure", number)) if "figure" in data else None,
            optional(data, "unit", text, ""),
        )


budgets_of = list_of(object_of(BudgetEntry.from_json))
