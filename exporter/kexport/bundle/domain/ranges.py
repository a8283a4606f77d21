"""Ranges of numbers: uniform, normal and integer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kexport.bundle.domain.projection import clamped, real_part
from kexport.bundle.domain.protocol import FEW, Domain
from kexport.bundle.signature import Array
from kexport.errors import UsageError

_FARTHEST = 8  # deviations from the mean; a normal distribution has 1 value in 10^15 beyond


@dataclass(frozen=True)
class Uniform:
    """Real numbers from `low` to `high`, all equally likely."""

    low: float = -1.0
    high: float = 1.0

    def __post_init__(self) -> None:
        _require_order(self, self.low, self.high)

    @property
    def is_discrete(self) -> bool:  # noqa: D102  see Domain
        return False

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:  # noqa: D102  see Domain
        if math.isfinite(self.spread()):
            return rng.uniform(self.low, self.high, shape)
        share = rng.uniform(size=shape)  # high - low overflows
        return np.asarray(self.low * (1 - share) + self.high * share)

    def corners(self) -> list[float]:  # noqa: D102  see Domain
        zero = [0.0] if self.low < 0 < self.high else []
        return [self.low, self.high, *zero]

    def points(self) -> Sequence[float | str]:  # noqa: D102  see Domain
        return ()

    def project(self, values: Array) -> Array:  # noqa: D102  see Domain
        return clamped(values, self.low, self.high)

    def spread(self) -> float:  # noqa: D102  see Domain
        return float(self.high) - float(self.low)

    def __str__(self) -> str:
        return f"uniform({number(self.low)}, {number(self.high)})"


@dataclass(frozen=True)
class Normal:
    """Real numbers around `mean` with standard deviation `deviation`.

    The corners lie four deviations from the mean; projection limits values to eight.
    """

    mean: float = 0.0
    deviation: float = 1.0

    def __post_init__(self) -> None:
        if not self.deviation > 0:
            raise UsageError(f"{self} has no width", expected="a standard deviation above 0")

    @property
    def is_discrete(self) -> bool:  # noqa: D102  see Domain
        return False

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:  # noqa: D102  see Domain
        return rng.normal(self.mean, self.deviation, shape)

    def corners(self) -> list[float]:  # noqa: D102  see Domain
        return [self.mean - 4 * self.deviation, self.mean + 4 * self.deviation, self.mean]

    def points(self) -> Sequence[float | str]:  # noqa: D102  see Domain
        return ()

    def project(self, values: Array) -> Array:  # noqa: D102  see Domain
        reach = _FARTHEST * self.deviation
        return clamped(values, self.mean - reach, self.mean + reach)

    def spread(self) -> float:  # noqa: D102  see Domain
        return float(self.deviation)

    def __str__(self) -> str:
        return f"normal({number(self.mean)}, {number(self.deviation)})"


@dataclass(frozen=True)
class Ints:
    """Integers from `low` up to but not including `high`."""

    low: int = 0
    high: int = 2

    def __post_init__(self) -> None:
        _require_order(self, self.low, self.high)
        if self.low < -(1 << 63) or self.high > (1 << 63 if self.low < 0 else 1 << 64):
            raise UsageError(f"{self} fits no integer dtype", expected="integers of at most 64 bits")

    @property
    def is_discrete(self) -> bool:  # noqa: D102  see Domain
        return True

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:  # noqa: D102  see Domain
        return rng.integers(self.low, self.high, shape, dtype=np.uint64 if self.high > 1 << 63 else np.int64)

    def corners(self) -> list[float]:  # noqa: D102  see Domain
        return sorted({self.low, self.high - 1})

    def points(self) -> Sequence[float | str]:  # noqa: D102  see Domain
        return range(self.low, self.high) if self.high - self.low <= FEW else ()

    def project(self, values: Array) -> Array:  # noqa: D102  see Domain
        if values.dtype.kind not in "iu":
            return clamped(np.rint(real_part(values)), self.low, self.high - 1).astype(values.dtype)
        bounds = np.iinfo(values.dtype)
        return np.clip(values, max(self.low, bounds.min), min(self.high - 1, bounds.max))

    def spread(self) -> float:  # noqa: D102  see Domain
        return float(self.high - 1 - self.low)

    def __str__(self) -> str:
        return f"ints({self.low}, {self.high})"


def number(value: float) -> str:
    """The shortest text that parses back to the same number; integers are written without a decimal point."""
    plain = value.item() if isinstance(value, np.generic) else value
    whole = isinstance(plain, float) and plain.is_integer() and abs(plain) < 1 << 53
    return str(int(plain)) if whole and str(plain) != "-0.0" else repr(plain)


def _require_order(domain: Domain, low: float, high: float) -> None:
    if not low < high:
        raise UsageError(f"{domain} is empty", expected="the lower end first, and below the upper end")
