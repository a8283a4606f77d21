"""How long a search may go on."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

from kexport.errors import UsageError

#: Of a comparison of two models.
DEFAULT_SEARCH = "5000"
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True)
class Budget:
    """The end of a search: after so many seconds, or so many evaluations of each runtime.

    Attributes:
        seconds: of search; None for no such end.
        evaluations: samples evaluated by each runtime; with this end alone a search repeats itself exactly.
        seed: of what is random.
    """

    seconds: float | None = None
    evaluations: int | None = None
    seed: int = 0

    @classmethod
    def parse(cls, text: str, seed: int = 0) -> Budget:
        """What `30s`, `2m` or `5000` allows.

        Raises:
            UsageError: no positive number, or an unknown unit.
        """
        found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)(s|m|h)|([0-9]+)", text.strip())
        amount = float(found[1] or found[3]) if found else 0.0
        if not found or not 0 < amount < float("inf"):
            raise UsageError(
                f"unreadable budget {text!r}",
                expected="a time, such as 30s or 2m, or a number of evaluations, such as 5000",
            )
        return cls(seconds=amount * _UNITS[found[2]], seed=seed) if found[2] else cls(None, int(amount), seed)

    def __str__(self) -> str:
        return f"{self.seconds:g} s" if self.seconds is not None else f"{self.evaluations} evaluations"


class Clock:
    """Tells when a budget is used up."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self._began = time.monotonic()
        self.evaluations = 0

    @property
    def seconds(self) -> float:
        """How many have gone by."""
        return time.monotonic() - self._began

    @property
    def over(self) -> bool:
        """Whether the budget is used up."""
        budget = self.budget
        late = budget.seconds is not None and self.seconds >= budget.seconds
        return late or (budget.evaluations is not None and self.evaluations >= budget.evaluations)

    def left(self, count: int) -> int:
        """As many of `count` evaluations as the budget still has."""
        if self.budget.evaluations is None:
            return count
        return max(0, min(count, self.budget.evaluations - self.evaluations))
