"""A domain of a few listed values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kexport.bundle.domain.projection import real_part
from kexport.bundle.domain.protocol import FEW
from kexport.bundle.signature import Array
from kexport.errors import UsageError


@dataclass(frozen=True, init=False)
class Choice:
    """One of the given values, each equally likely: all numbers (NaN and infinity included), or all texts."""

    values: tuple[float, ...] | tuple[str, ...]

    def __init__(self, *values: float | str) -> None:
        if not values:
            raise UsageError("choice() has no values", expected="at least one value")
        plain = (value.item() if isinstance(value, np.generic) else value for value in values)
        # Tuples compare their items by identity first: one NaN object makes equal choices equal.
        object.__setattr__(self, "values", tuple(math.nan if value != value else value for value in plain))

    @property
    def is_discrete(self) -> bool:  # noqa: D102  see Domain
        return True

    @property
    def is_text(self) -> bool:
        """Whether the values are texts."""
        return isinstance(self.values[0], str)

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:  # noqa: D102  see Domain
        return rng.choice(np.asarray(self.values), shape)

    def corners(self) -> list[float]:  # noqa: D102  see Domain
        numbers = sorted({value for value in self.values if not isinstance(value, str) and math.isfinite(value)})
        return numbers[:: max(1, len(numbers) - 1)]

    def points(self) -> Sequence[float | str]:  # noqa: D102  see Domain
        return self.values if len(self.values) <= FEW else ()

    def project(self, values: Array) -> Array:  # noqa: D102  see Domain
        if self.is_text:
            return values
        choices, given = np.asarray(self.values, np.float64), np.asarray(real_part(values), np.float64)
        ordered = np.unique(choices[np.isfinite(choices)])
        ordered = ordered if ordered.size else choices[:1]
        above = np.minimum(np.searchsorted(ordered, given), len(ordered) - 1)
        below = np.maximum(above - 1, 0)
        nearest = np.where(given - ordered[below] <= ordered[above] - given, ordered[below], ordered[above])
        for special in choices[~np.isfinite(choices)]:
            nearest = np.where(np.isnan(given) if np.isnan(special) else given == special, special, nearest)
        return nearest.astype(values.dtype)

    def spread(self) -> float:  # noqa: D102  see Domain
        return 0.0

    def __str__(self) -> str:
        return "choice(" + ", ".join(map(repr, self.values)) + ")"
