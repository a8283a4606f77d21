"""How long a search may take."""

from __future__ import annotations

import contextlib
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

from kexport.errors import UsageError

#: The search of a comparison of two models: what small ones take in seconds, and as long as one waits for large ones.
DEFAULT_SEARCH = "5000,1m"
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True)
class Budget:
    """The end of a search: after a number of seconds, or of evaluations of each runtime, whichever comes first.

    Attributes:
        seconds: how long the search may take; None for no limit.
        evaluations: samples that each runtime may evaluate; with this limit alone, a search is reproducible.
        seed: the seed of the random samples.
    """

    seconds: float | None = None
    evaluations: int | None = None
    seed: int = 0

    @classmethod
    def parse(cls, text: str, seed: int = 0) -> Budget:
        """Parse a budget such as `30s`, `2m`, `5000`, or `5000,2m` for the one that ends first.

        Raises:
            UsageError: the text holds no positive number, or an unknown unit.
        """
        times: list[float] = []
        counts: list[int] = []
        for part in text.split(","):
            match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)(s|m|h)|([0-9]+)", part.strip())
            amount = float(match[1] or match[3]) if match else 0.0
            if not match or not 0 < amount < float("inf"):
                break
            if match[2]:
                times.append(amount * _UNITS[match[2]])
            else:
                counts.append(int(amount))
        else:
            if max(len(times), len(counts)) == 1:
                return cls(next(iter(times), None), next(iter(counts), None), seed)
        if re.fullmatch(r"0+(?:\.0+)?[smh]?", text.strip()):
            raise UsageError(
                f"a budget of {text.strip()!r} searches nothing",
                expected="a time or a number above 0, such as 30s or 5000",
                hint="leave --search out (in Python: search=None) where nothing is to be searched",
            )
        raise UsageError(
            f"unreadable budget {text!r}",
            expected="a time, such as 30s or 2m, a number of evaluations, such as 5000, or 5000,2m for what ends first",
        )

    def counted(self, rate: float) -> Budget:
        """The budget as a number of evaluations alone, where it is a time: a second is `rate` of them, at least one."""
        if self.seconds is None:
            return self
        most = self.evaluations or sys.maxsize
        return Budget(None, min(most, max(1, round(self.seconds * rate))), self.seed)

    def __str__(self) -> str:
        counted = [] if self.evaluations is None else [f"{self.evaluations} evaluations"]
        return " or ".join(counted + ([] if self.seconds is None else [f"{self.seconds:g} s"]))


class Clock:
    """Measures how much of a budget is used.

    Attributes:
        budget: the budget.
        evaluations: how many were made so far; the search counts them.
        stopped: whether somebody has ended the search before its budget was used up.
    """

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self._began = time.monotonic()
        self.evaluations = 0
        self.stopped = False

    @property
    def seconds(self) -> float:
        """Seconds since the clock was created."""
        return time.monotonic() - self._began

    @property
    def share(self) -> float:
        """The part of the budget that is used, from 0 to 1."""
        budget = self.budget
        of_time = 0.0 if budget.seconds is None else self.seconds / budget.seconds
        of_evaluations = 0.0 if budget.evaluations is None else self.evaluations / budget.evaluations
        return min(1.0, max(of_time, of_evaluations))

    @property
    def over(self) -> bool:
        """Whether the budget is used up, or the search was stopped."""
        return self.stopped or self.share >= 1

    @property
    def interruption(self) -> list[str]:
        """A note where the search was stopped."""
        if not self.stopped:
            return []
        return [f"the search was interrupted: {self.evaluations:,} inputs were tried of a budget of {self.budget}"]

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Within the block, `stop_searches` ends the search."""
        _running.append(self)
        try:
            yield
        finally:
            _running.remove(self)

    def left(self, count: int) -> int:
        """`count`, or as many evaluations as are left if that is fewer."""
        if self.budget.evaluations is None:
            return count
        return max(0, min(count, self.budget.evaluations - self.evaluations))


_running: list[Clock] = []
_any_stopped = False


def stop_searches() -> bool:
    """End the searches of this process as if their budget were used up; whether there was one that still ran."""
    going = [clock for clock in _running if not clock.stopped]
    global _any_stopped
    for clock in going:
        clock.stopped = _any_stopped = True
    return bool(going)


def searches_stopped() -> bool:
    """Whether `stop_searches` has ended a search in this process."""
    return _any_stopped
