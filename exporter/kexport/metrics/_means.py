"""Figures that are means over samples: proportions of right answers, and errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kexport.bundle.signature import Array
from kexport.metrics._intervals import RESAMPLES, Interval, mean, proportion
from kexport.metrics._metric import MetricError


@dataclass(frozen=True)
class RightAnswers:
    """The proportion of right answers, in per cent.

    Attributes:
        right: the proportion in each sample, of shape `(samples,)`.
        positions: in each sample.
        resamples: as `Scores.resamples`.
    """

    right: Array
    positions: int = 1
    resamples: int = RESAMPLES

    @property
    def samples(self) -> int:
        """The number of samples."""
        return len(self.right)

    @property
    def goodness(self) -> Array:
        """The proportion in each sample."""
        return self.right

    def value(self, weights: Array | None = None) -> float:
        """The proportion over all samples, in per cent."""
        return 100.0 * float(np.average(self.right, weights=weights))

    def interval(self) -> Interval:
        """The Wilson score interval."""
        return proportion(self.right, self.positions).scaled(100.0)


@dataclass(frozen=True)
class Errors:
    """The mean of the errors of all samples, or the root of it.

    Attributes:
        errors: the mean error of each sample, of shape `(samples,)`.
        of_mean: the figure that belongs to a mean error: itself, or its root.
        resamples: as `Scores.resamples`.
    """

    errors: Array
    of_mean: Callable[[float], float] = float
    resamples: int = RESAMPLES

    @property
    def samples(self) -> int:
        """The number of samples."""
        return len(self.errors)

    @property
    def goodness(self) -> Array:
        """The error of each sample below zero."""
        return np.asarray(-np.vectorize(self.of_mean, otypes=[float])(self.errors))

    def value(self, weights: Array | None = None) -> float:
        """The figure over all samples.

        Raises:
            MetricError: an output is no finite number.
        """
        if not np.isfinite(self.errors).all():
            rows = np.flatnonzero(~np.isfinite(self.errors))
            raise MetricError("the outputs hold NaN or infinity", got=f"in {len(rows)} rows, the first is {rows[0]}")
        return float(self.of_mean(float(np.average(self.errors, weights=weights))))

    def interval(self) -> Interval | None:
        """The normal interval of the mean error, and of its root the roots of both ends."""
        found = mean(self.errors)
        if found is None:
            return None
        return Interval(self.of_mean(max(0.0, found.low)), self.of_mean(found.high), found.method)
