"""The root of the mean squared error over all samples and elements."""

from __future__ import annotations

import math

from kexport.bundle.signature import Array
from kexport.metrics._labels import ValueLabels, value_labels
from kexport.metrics._means import Errors
from kexport.metrics._metric import Metric


def _score(labels: ValueLabels, outputs: Array) -> Errors:
    return Errors((labels.apart(outputs) ** 2).mean(axis=1), math.sqrt)


METRIC = Metric(
    "rmse", "root of the mean squared error, in the unit of the labels", value_labels, _score, unit="",
    higher_is_better=False,
)  # fmt: skip
