"""Scales of charts: numbers to places from 0 to 1, and the numbers that an axis names."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

_MOST_DECADES = 24


class Scale(Protocol):
    """Where numbers lie on an axis."""

    def share(self, value: float) -> float:
        """The place of a number: 0 at the beginning, 1 at the end; outside of it, less or more."""
        ...

    def ticks(self, most: int) -> list[tuple[float, str]]:
        """A few round numbers to name, about as many as asked for, with their text."""
        ...


@dataclass(frozen=True)
class LogScale:
    """Powers of ten from `low` to `high`, which are exponents."""

    low: int
    high: int

    @classmethod
    def over(cls, values: Iterable[float]) -> LogScale:
        """The decades that hold all positive numbers among the values; of very many, the largest."""
        found = [value for value in values if value > 0 and math.isfinite(value)]
        if not found:
            return cls(-8, 0)
        high = math.ceil(math.log10(max(found)) + 1e-9)
        low = max(math.floor(math.log10(min(found))), high - _MOST_DECADES)
        return cls(min(low, high - 1), high)

    def share(self, value: float) -> float:
        """The place of a number; of one that is not positive, the beginning."""
        return (math.log10(value) - self.low) / (self.high - self.low) if value > 0 else 0.0

    def ticks(self, most: int) -> list[tuple[float, str]]:
        """Powers of ten."""
        step = max(1, math.ceil((self.high - self.low) / max(1, most - 1)))
        return [(10.0**power, f"1e{power}") for power in range(self.low, self.high + 1, step)]


@dataclass(frozen=True)
class LinearScale:
    """Numbers from `low` to `high`."""

    low: float
    high: float

    @classmethod
    def over(cls, values: Iterable[float], margin: float = 0.0) -> LinearScale:
        """A scale that holds all finite values, with a margin as a share of their range."""
        found = [value for value in values if math.isfinite(value)]
        low, high = min(found, default=0.0), max(found, default=1.0)
        room = (high - low) * margin or abs(high) * 0.5 * (low == high) or (0.0 if low < high else 1.0)
        return cls(low - room, high + room)

    def share(self, value: float) -> float:
        """The place of a number."""
        return (value - self.low) / (self.high - self.low)

    def ticks(self, most: int) -> list[tuple[float, str]]:
        """Round numbers."""
        rough = (self.high - self.low) / max(1, most - 1)
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough)
        first = math.ceil(self.low / step - 1e-9)
        numbers = [step * (first + index) for index in range(8) if step * (first + index) <= self.high + step * 1e-9]
        return [(number, f"{number + 0.0:.6g}") for number in numbers]
