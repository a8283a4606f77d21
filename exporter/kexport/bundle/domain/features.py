"""A domain of its own for each feature of an input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kexport.bundle.domain.protocol import Domain
from kexport.bundle.signature import Array
from kexport.errors import UsageError


@dataclass(frozen=True, init=False)
class Features:
    """For each index along the last axis, a domain of its own."""

    each: tuple[Domain, ...]

    def __init__(self, *each: Domain) -> None:
        if not each:
            raise UsageError("features() has no domains", expected="one domain for each index along the last axis")
        object.__setattr__(self, "each", each)

    @property
    def is_discrete(self) -> bool:  # noqa: D102  see Domain
        return all(domain.is_discrete for domain in self.each)

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:  # noqa: D102  see Domain
        if shape[-1:] != (len(self.each),):
            raise UsageError(
                "an input has another number of features than its domain", got=shape[-1:], expected=len(self.each)
            )
        return np.stack([domain.sample(rng, shape[:-1]) for domain in self.each], axis=-1)

    def corners(self) -> list[float]:  # noqa: D102  see Domain
        corners = [domain.corners() for domain in self.each]
        values = [value for each in corners for value in each]
        if not values:
            return []
        zero = [0.0] if all(each and min(each) < 0 < max(each) for each in corners) else []
        return [min(values), max(values), *zero]

    def points(self) -> Sequence[float | str]:
        """None: `points_of` has those of each feature."""
        return ()

    def project(self, values: Array) -> Array:  # noqa: D102  see Domain
        if values.shape[-1:] != (len(self.each),):
            return np.asarray(values)  # of single features, as a search shrinks them: whole samples follow
        columns = [domain.project(values[..., index]) for index, domain in enumerate(self.each)]
        return np.stack(columns, axis=-1).astype(values.dtype, copy=False)

    def spread(self) -> float:  # noqa: D102  see Domain
        return float(np.median([domain.spread() for domain in self.each]))

    def __str__(self) -> str:
        return f"features({', '.join(map(str, self.each))})"


def placed(domain: Domain, values: Array) -> Array:
    """Numbers between the corners of the domain, each at the same place between those of its own feature."""
    if not isinstance(domain, Features) or values.shape[-1:] != (len(domain.each),):
        return values
    corners = domain.corners()
    if not corners or min(corners) == max(corners):
        return values
    low, width = min(corners), max(corners) - min(corners)
    ends = [feature.corners() or [0.0] for feature in domain.each]
    lows, highs = np.array([min(each) for each in ends]), np.array([max(each) for each in ends])
    return np.asarray(lows + (np.asarray(values, np.float64) - low) / width * (highs - lows))


def points_of(domain: Domain) -> list[Sequence[float | str]]:
    """The points of each feature, or of all together where they share one domain."""
    return [each.points() for each in domain.each] if isinstance(domain, Features) else [domain.points()]
