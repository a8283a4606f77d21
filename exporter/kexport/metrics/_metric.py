"""What a metric is: labels that fit an output, and a figure with the interval that the number of samples allows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from kexport.bundle.signature import Array, TensorSpec
from kexport.errors import KexportError
from kexport.metrics._intervals import Interval

PERCENT = "%"


class MetricError(KexportError):
    """A metric cannot be computed from these labels, or from what a model computes."""


class Scores(Protocol):
    """What a metric says of the outputs for all samples."""

    @property
    def goodness(self) -> Array | None:
        """How good each sample is, of shape `(samples,)`; None where only all together have a figure."""
        ...

    @property
    def samples(self) -> int:
        """The number of samples."""
        ...

    @property
    def resamples(self) -> int:
        """How often its samples may be drawn again for an interval; 0 where that would take long."""
        ...

    def value(self, weights: Array | None = None) -> float:
        """The figure, in the unit of the metric.

        Args:
            weights: how often each sample counts, whole numbers of shape `(samples,)`; once each by default.

        Raises:
            MetricError: it is no finite number.
        """
        ...

    def interval(self) -> Interval | None:
        """Where the figure of infinitely many such samples is likely to be; None where that cannot be told."""
        ...


L = TypeVar("L", bound="FittedLabels")


class FittedLabels(Protocol):
    """Labels in the form in which a metric compares them with one output."""

    def seen(self, outputs: Array) -> FittedLabels:
        """The same, once the outputs of the reference are known: what these decide holds for every artifact.

        Args:
            outputs: those for all samples.
        """
        ...

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a reader should know of how outputs are read."""
        ...


@dataclass(frozen=True)
class Metric(Generic[L]):
    """A metric.

    Attributes:
        name: what users type.
        summary: what it is, in one line.
        fit: the labels for an output of this name, dtype and shape; raises `MetricError` where they do not fit.
        score: compares fitted labels with the outputs for all samples, whose first axis counts these.
        unit: `"%"` for a proportion, whose differences are percentage points; else empty: the unit of the labels.
        higher_is_better: whether a larger figure is better.
    """

    name: str
    summary: str
    fit: Callable[[Array, TensorSpec], L]
    score: Callable[[L, Array], Scores]
    unit: str = PERCENT
    higher_is_better: bool = True

    def drop(self, before: float, after: float) -> float:
        """How much worse a figure has become, in the unit of `drop_unit`; below zero if it is better."""
        return before - after if self.higher_is_better else after - before

    @property
    def drop_unit(self) -> str:
        """The unit of a difference of two figures."""
        return "points" if self.unit == PERCENT else self.unit
