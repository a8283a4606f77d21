"""A range of numbers that edges divide into bins."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kexport.bundle.domain.projection import clamped
from kexport.bundle.domain.protocol import FEW
from kexport.bundle.domain.ranges import number
from kexport.bundle.signature import Array
from kexport.errors import UsageError

_NEAR = 2.0**-10  # of the smaller bin: far more than rounding, and less than an edge could be off unnoticed
_NEAR_OF_EDGE = 2.0**-8


@dataclass(frozen=True, init=False)
class Bins:
    """Real numbers from the first limit to the last one, all bins between neighbouring limits equally likely."""

    limits: tuple[float, ...]

    def __init__(self, *limits: float) -> None:
        if len(limits) < 2 or any(not low < high for low, high in itertools.pairwise(limits)):
            raise UsageError("the limits of bins() do not ascend", got=limits, expected="at least two, in order")
        object.__setattr__(self, "limits", tuple(map(float, limits)))

    @property
    def is_discrete(self) -> bool:  # noqa: D102  see Domain
        return False

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:  # noqa: D102  see Domain
        limits = np.asarray(self.limits)
        chosen = rng.integers(0, len(limits) - 1, shape)
        share = rng.random(shape)
        return np.asarray(limits[chosen] * (1 - share) + limits[chosen + 1] * share)

    def corners(self) -> list[float]:  # noqa: D102  see Domain
        low, high = self.limits[0], self.limits[-1]
        return [low, high, *([0.0] if low < 0 < high else [])]

    def points(self) -> Sequence[float | str]:
        """The middle of every bin, and three values at every edge: below it, on it, and above it."""
        limits = np.asarray(self.limits)
        if 4 * len(limits) > 4 * FEW:
            return ()
        middles = (limits[:-1] + limits[1:]) / 2
        widths, edges = np.diff(limits), limits[1:-1]
        near = np.minimum(widths[:-1], widths[1:]) * _NEAR
        near = np.where(edges == 0, near, np.minimum(near, np.abs(edges) * _NEAR_OF_EDGE))
        values: list[float] = sorted({*middles.tolist(), *edges.tolist(), *(edges - near).tolist(), *(edges + near)})
        return values

    def project(self, values: Array) -> Array:  # noqa: D102  see Domain
        return clamped(values, self.limits[0], self.limits[-1])

    def spread(self) -> float:  # noqa: D102  see Domain
        return self.limits[-1] - self.limits[0]

    def __str__(self) -> str:
        return f"bins({', '.join(map(number, self.limits))})"
