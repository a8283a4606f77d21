"""The proportion of samples, or of their positions, whose right class is among the five most probable ones."""

from __future__ import annotations

import numpy as np

from kexport.bundle.signature import Array, TensorSpec
from kexport.metrics._labels import ClassLabels, Form, class_labels
from kexport.metrics._means import RightAnswers
from kexport.metrics._metric import Metric, MetricError

_MOST = 5


def _fit(labels: Array, spec: TensorSpec) -> ClassLabels:
    fitted = class_labels(labels, spec)
    if fitted.form is not Form.SCORES:
        raise MetricError(
            f"top5 needs a score for each class, which output {spec.name!r} does not have",
            got=f"shape {spec.shape_text()}",
            hint="--metric accuracy",
        )
    if spec.shape[-1] is not None and spec.shape[-1] <= _MOST:
        raise MetricError(
            "top5 says nothing of so few classes", got=spec.shape[-1], expected="more than 5", hint="--metric accuracy"
        )
    return fitted


def _score(labels: ClassLabels, outputs: Array) -> RightAnswers:
    """Of equal scores the class of the lower number is the more probable one, as with the largest score."""
    scores = labels.scores(outputs)
    own = np.take_along_axis(scores, labels.classes[:, :, None], axis=2)
    earlier = np.arange(scores.shape[2]) < labels.classes[:, :, None]
    before = ((scores > own) | ((scores == own) & earlier)).sum(axis=2)
    right = (before < _MOST) & ~np.isnan(scores).any(axis=2)
    return RightAnswers(right.mean(axis=1), labels.positions)


METRIC = Metric("top5", "right class among the five with the largest scores, in %", _fit, _score)
