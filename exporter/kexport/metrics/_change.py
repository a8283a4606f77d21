"""How a metric changes from one model to another, on the same samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from kexport.bundle.signature import Array
from kexport.metrics._intervals import Interval, bootstrap, paired_proportions
from kexport.metrics._means import RightAnswers
from kexport.metrics._metric import Metric, MetricError, Scores

_RESAMPLES = 400
_ROUNDING = 1e-9  # relative to the figures: what sums of floating-point numbers may be off by


@dataclass(frozen=True)
class Change:
    """The change from a reference to another model.

    Attributes:
        drop: how much worse the other one is, in points for a proportion, else in the unit of the metric.
        interval: of the drop, over the same samples; None where that cannot be told.
        worse: the rows on which the other one is worse, the largest difference first.
        better: likewise, on which it is better.
        rounding: what floating-point sums may add to the drop.
    """

    drop: float
    interval: Interval | None
    worse: Array
    better: Array
    rounding: float = 0.0

    def exceeds(self, most: float) -> bool:
        """Whether the drop is more than `most`, beyond what rounding explains."""
        return self.drop > most + self.rounding


def change(metric: Metric[Any], reference: Scores, other: Scores) -> Change:
    """The change of a metric between two models on the same samples; raises `MetricError` as `Scores.value` does."""
    before, after = reference.value(), other.value()
    ours, theirs = reference.goodness, other.goodness
    apart = np.zeros(0) if ours is None or theirs is None else theirs - ours
    worse, better = _below_zero(apart), _below_zero(-apart)
    interval = _interval(metric, reference, other, (len(worse), len(better), len(apart)))
    return Change(metric.drop(before, after), interval, worse, better, _ROUNDING * max(abs(before), abs(after)))


def _interval(metric: Metric[Any], reference: Scores, other: Scores, rows: tuple[int, int, int]) -> Interval | None:
    """The interval of the drop; None where no draw of the samples shows any.

    Args:
        metric: the metric.
        reference: the scores of the reference.
        other: those of the other model.
        rows: how many are worse, how many are better, and all of which that is known.
    """
    if isinstance(reference, RightAnswers) and reference.positions == 1:
        return paired_proportions(*rows).scaled(100.0)

    def drop(weights: Array) -> float:
        return metric.drop(reference.value(weights), other.value(weights))

    try:
        found = bootstrap(drop, reference.samples, min(_RESAMPLES, reference.resamples))
    except MetricError:
        return None
    return found if found is None or found.low < found.high else None


def _below_zero(values: Array) -> Array:
    """The indices of what is below zero, the lowest first; of equal values the first one."""
    order = np.argsort(values, kind="stable")
    return order[values[order] < 0]
