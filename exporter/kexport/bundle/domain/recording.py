"""A domain of recorded data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kexport.bundle.domain.projection import real_part
from kexport.bundle.signature import Array
from kexport.errors import UsageError


@dataclass(frozen=True, eq=False)
class Samples:
    """Recorded data; the first axis counts the samples. Projection limits values to the recorded minimum and maximum.

    Where a smaller size is requested along another axis, the beginning of each sample is taken.
    The text gives only the number of samples; a bundle holds the values in `samples.npz`.
    """

    values: Array

    @property
    def is_discrete(self) -> bool:  # noqa: D102  see Domain
        return self.values.dtype.kind not in "fc"

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:  # noqa: D102  see Domain
        recorded = self.values.shape
        if len(recorded) != len(shape) or any(
            size < wanted for size, wanted in zip(recorded[1:], shape[1:], strict=True)
        ):
            raise UsageError("the recorded samples are too small", got=recorded[1:], expected=shape[1:])
        picked = self.values[rng.integers(0, len(self.values), shape[0])]
        cut: Array = picked[tuple(map(slice, shape))]
        return cut

    def corners(self) -> list[float]:  # noqa: D102  see Domain
        return []  # a recording says nothing about values that were not recorded

    def points(self) -> Sequence[float | str]:  # noqa: D102  see Domain
        return ()

    def project(self, values: Array) -> Array:  # noqa: D102  see Domain
        if self.values.dtype.kind == "U":
            return values
        low, high = self._bounds
        if values.shape[1:] != low.shape:  # another length than was recorded
            low, high = np.fmin.reduce(low, axis=None), np.fmax.reduce(high, axis=None)
        return np.fmax(np.fmin(real_part(values), high), low).astype(values.dtype)

    def spread(self) -> float:  # noqa: D102  see Domain
        return self._deviation

    @cached_property
    def _bounds(self) -> tuple[Array, Array]:
        """The minimum and maximum of every element, NaN ignored."""
        values = real_part(self.values)
        return np.fmin.reduce(values, axis=0), np.fmax.reduce(values, axis=0)

    @cached_property
    def _deviation(self) -> float:
        if self.values.dtype.kind == "U":
            return 0.0
        values = np.asarray(real_part(self.values), np.float64)
        finite = values[np.isfinite(values)]
        return float(finite.std()) if finite.size else 0.0

    def __str__(self) -> str:
        return f"samples({len(self.values)})"
