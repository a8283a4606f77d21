"""The proportion of samples, or of their positions, whose most probable class is the right one."""

from __future__ import annotations

from kexport.bundle.signature import Array
from kexport.metrics._labels import ClassLabels, class_labels
from kexport.metrics._means import RightAnswers
from kexport.metrics._metric import Metric


def _score(labels: ClassLabels, outputs: Array) -> RightAnswers:
    right = labels.predicted(outputs) == labels.classes
    return RightAnswers(right.mean(axis=1), labels.positions)


METRIC = Metric("accuracy", "right classes, in %; every position of a sequence counts", class_labels, _score)
