"""Confidence intervals of 95 % for a figure that was measured on some samples."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kexport.bundle.signature import Array

CONFIDENCE = 0.95
_Z = 1.959963984540054  # the normal quantile of 0.975
RESAMPLES = 1000
_SEED = 0


@dataclass(frozen=True)
class Interval:
    """Where the figure of infinitely many such samples is likely to be.

    Attributes:
        low: the lower end, in the unit of the figure.
        high: the upper end.
        method: how it was computed.
    """

    low: float
    high: float
    method: str

    @property
    def ends(self) -> tuple[float, float]:
        """The lower and the upper end."""
        return self.low, self.high

    def scaled(self, factor: float) -> Interval:
        """The interval in another unit."""
        return Interval(factor * self.low, factor * self.high, self.method)


def proportion(right: Array, positions: int = 1) -> Interval:
    """The Wilson score interval of a proportion.

    Positions of one sample are not independent of each other. So where a sample has several, they count as the number
    of independent ones whose mean would vary as much: at least one a sample, at most all of them.

    Args:
        right: the proportion in each sample, of shape `(samples,)`.
        positions: in each sample.

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927); for
    several positions E. L. Korn, B. I. Graubard, "Confidence intervals for proportions with small expected number of
    positive counts estimated from survey data", Survey Methodology 24 (1998).
    """
    samples, share = len(right), float(np.mean(right))
    count = float(samples)
    if positions > 1 and samples > 1:
        variance = float(np.var(right, ddof=1)) / samples
        if variance > 0:
            count = min(max(share * (1 - share) / variance, samples), samples * positions)
    centre = (share + _Z**2 / (2 * count)) / (1 + _Z**2 / count)
    half = _Z / (1 + _Z**2 / count) * math.sqrt(share * (1 - share) / count + _Z**2 / (4 * count**2))
    return Interval(max(0.0, centre - half), min(1.0, centre + half), "Wilson score")


def paired_proportions(lost: int, won: int, samples: int) -> Interval:
    """The interval of how much smaller the second of two proportions is, measured on the same samples.

    Args:
        lost: how many are right in the first alone.
        won: in the second alone.
        samples: their number.

    Source: A. Agresti, Y. Min, "Simple improved confidence intervals for comparing matched proportions", Statistics in
    Medicine 24 (2005): half a sample is added to each of the four cells.
    """
    lost_more, won_more, count = lost + 0.5, won + 0.5, samples + 2
    centre = (lost_more - won_more) / count
    half = _Z * math.sqrt(lost_more + won_more - (lost_more - won_more) ** 2 / count) / count
    return Interval(max(-1.0, centre - half), min(1.0, centre + half), "paired proportions")


def mean(values: Array) -> Interval | None:
    """The interval of a mean by the central limit theorem; None for a single sample.

    Source: G. Casella, R. L. Berger, "Statistical Inference" (2002), section 5.5.
    """
    if len(values) < 2:
        return None
    centre, half = float(np.mean(values)), _Z * float(np.std(values, ddof=1)) / math.sqrt(len(values))
    return Interval(centre - half, centre + half, "normal")


def bootstrap(value: Callable[[Array], float], samples: int, resamples: int = RESAMPLES) -> Interval | None:
    """The percentile interval over samples that are drawn again with replacement, by a fixed seed; None for one.

    Args:
        value: the figure where each sample counts so often, of shape `(samples,)`.
        samples: their number.
        resamples: how often all are drawn.

    Source: B. Efron, R. J. Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 13.
    """
    if samples < 2 or resamples == 0:
        return None
    rng = np.random.default_rng(_SEED)
    draws = (np.bincount(rng.integers(samples, size=samples), minlength=samples) for _ in range(resamples))
    low, high = np.percentile([value(weights) for weights in draws], [50 * (1 - CONFIDENCE), 50 * (1 + CONFIDENCE)])
    return Interval(float(low), float(high), "bootstrap")
