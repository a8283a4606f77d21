"""A metric of the user's own: a function of labels and outputs."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kexport.bundle.signature import Array, TensorSpec
from kexport.errors import UsageError, located, nearest
from kexport.metrics._intervals import Interval, bootstrap
from kexport.metrics._metric import Metric, MetricError
from kexport.user_code import in_this_folder, make_importable, run_file

Function = Callable[[Array, Array], Any]
#: How a function says that a smaller figure is better.
ATTRIBUTE = "lower_is_better"
_RESAMPLES = 200
_MOST = 20_000_000  # elements of outputs, beyond which every resample would take long


@dataclass(frozen=True)
class _AnyLabels:
    """Labels as they were given."""

    labels: Array
    remarks: tuple[str, ...] = ()

    def seen(self, outputs: Array) -> _AnyLabels:
        return self


@dataclass(frozen=True)
class _OwnScores:
    """The figure of a function of all labels and outputs."""

    name: str
    function: Function
    labels: Array
    outputs: Array
    goodness: None = None

    @property
    def samples(self) -> int:
        """The number of samples."""
        return len(self.labels)

    @property
    def resamples(self) -> int:
        """None where the outputs are large."""
        return _RESAMPLES if self.outputs.size <= _MOST else 0

    def value(self, weights: Array | None = None) -> float:
        """The figure.

        Raises:
            MetricError: the function raises, or what it returns is no finite number.
        """
        chosen = np.arange(len(self.labels)) if weights is None else np.repeat(np.arange(len(weights)), weights)
        try:
            with in_this_folder():
                figure = self.function(self.labels[chosen], self.outputs[chosen])
        except Exception as error:
            raise MetricError(f"the metric {self.name} failed", got=located(error)) from error
        try:
            number = float(figure)
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        if not math.isfinite(number):
            raise MetricError(
                f"the metric {self.name} returned no finite number", got=repr(figure)[:100], expected="a number"
            )
        return number

    def interval(self) -> Interval | None:
        """The percentile interval of the bootstrap; None where the function fails on some of the samples."""
        try:
            return bootstrap(self.value, len(self.labels), self.resamples)
        except MetricError:
            return None


def own(function: Function, name: str = "") -> Metric[_AnyLabels]:
    """The metric that a function computes from `(labels, outputs)`, arrays whose first axis counts the samples.

    A larger figure is better, unless the function has an attribute `lower_is_better` that is true.
    """
    called = name or getattr(function, "__name__", type(function).__name__)

    def fit(labels: Array, spec: TensorSpec) -> _AnyLabels:
        return _AnyLabels(labels)

    def score(labels: _AnyLabels, outputs: Array) -> _OwnScores:
        return _OwnScores(called, function, labels.labels, outputs)

    higher = not getattr(function, ATTRIBUTE, False)
    return Metric(called, "a function of your own", fit, score, unit="", higher_is_better=higher)


def from_file(text: str) -> Metric[_AnyLabels]:
    """The metric of `FILE.py:callable`; naming the file permits running it.

    Raises:
        UsageError: there is no such file or function, or the code of the file fails.
    """
    place, _, attribute = text.rpartition(":")
    path = Path(place)
    if not path.is_file():
        raise UsageError(f"--metric {text}: there is no file {place}", expected="FILE.py:callable")
    try:
        with in_this_folder():
            make_importable(path.resolve().parent)
            module = run_file(path)
    except Exception as error:
        raise UsageError(
            f"--metric {text}: the file failed", got=located(error), hint="run the file on its own to see the error"
        ) from error
    function = getattr(module, attribute, None)
    if not callable(function):
        names = [name for name, value in vars(module).items() if callable(value) and not name.startswith("_")]
        raise UsageError(f"--metric {text}: {place} has no function {attribute!r}", hint=nearest(attribute, names))
    return own(function, attribute)
