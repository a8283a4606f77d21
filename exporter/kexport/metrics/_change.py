"""How a metric changes from one model to another, on the same samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from kexport.bundle.signature import Array
from kexport.metrics._intervals import Interval, bootstrap, paired_proportions
from kexport.metrics._means import RightAnswers
from kexport.metrics._metric import PERCENT, Metric, MetricError, Scores

_RESAMPLES = 400
#: Relative to the figures: what the rounding of float32 outputs leaves undetermined. One sample of a million is more.
_ROUNDING = 1e-6


@dataclass(frozen=True)
class Change:
    """The change from a reference to another model.

    Attributes:
        drop: how much worse the other one is, in points for a proportion, else in the unit of the metric.
        interval: of the drop, over the same samples; None where that cannot be told.
        worse: the rows on which the other one is worse, by more than rounding, the largest difference first.
        better: likewise, on which it is better.
        rounding: what rounding alone may add to the drop.
        flips: whether each row is either right or wrong.
    """

    drop: float
    interval: Interval | None
    worse: Array
    better: Array
    rounding: float = 0.0
    flips: bool = False

    def exceeds(self, most: float) -> bool:
        """Whether the drop is more than `most`, beyond what rounding explains."""
        return self.drop > most + self.rounding


def change(metric: Metric[Any], reference: Scores, other: Scores) -> Change:
    """The change of a metric between two models on the same samples; raises `MetricError` as `Scores.value` does."""
    before, after = reference.value(), other.value()
    rounding = _ROUNDING * max(abs(before), abs(after))
    ours, theirs = reference.goodness, other.goodness
    if ours is None or theirs is None:
        interval, none = _interval(metric, reference, other, (0, 0, 0)), np.zeros(0, np.int64)
        return Change(metric.drop(before, after), interval, none, none, rounding)
    flips = bool(np.isin(ours, (0, 1)).all() and np.isin(theirs, (0, 1)).all())
    apart = theirs - ours
    least = 0.0 if metric.unit == PERCENT else rounding
    worse, better = _below(apart, -least), _below(-apart, -least)
    interval = _interval(metric, reference, other, (len(worse), len(better), len(apart)))
    return Change(metric.drop(before, after), interval, worse, better, rounding, flips)


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


def _below(values: Array, most: float) -> Array:
    """The indices of what is below a value, the lowest first; of equal ones the first."""
    order = np.argsort(values, kind="stable")
    return order[values[order] < most]
