"""The mean absolute error over all samples and elements."""

from __future__ import annotations

from kexport.bundle.signature import Array
from kexport.metrics._labels import ValueLabels, value_labels
from kexport.metrics._means import Errors
from kexport.metrics._metric import Metric


def _score(labels: ValueLabels, outputs: Array) -> Errors:
    return Errors(labels.apart(outputs).mean(axis=1))


METRIC = Metric(
    "mae", "mean absolute error, in the unit of the labels", value_labels, _score, unit="", higher_is_better=False
)
