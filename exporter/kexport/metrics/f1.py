"""The macro F1 score: the mean over all classes of the harmonic mean of precision and recall."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kexport.bundle.signature import Array
from kexport.metrics._intervals import RESAMPLES, Interval, bootstrap
from kexport.metrics._labels import ClassLabels, class_labels
from kexport.metrics._metric import Metric

_MANY = 1_000_000  # positions, of which fewer resamples are drawn: their interval is narrow


@dataclass(frozen=True)
class MacroF1:
    """The macro F1 score, in per cent, over classes that occur among the labels or the answers.

    Attributes:
        right: the right class of every position, of shape `(samples, positions)`.
        predicted: that of the model; -1 for none.

    Source: J. Opitz, S. Burst, "Macro F1 and Macro F1" (2019), arXiv:1911.03347, the mean of the scores of classes.
    """

    right: Array
    predicted: Array

    @property
    def samples(self) -> int:
        """The number of samples."""
        return len(self.right)

    @property
    def goodness(self) -> Array:
        """The proportion of right answers in each sample."""
        return np.asarray((self.right == self.predicted).mean(axis=1))

    @property
    def resamples(self) -> int:
        """Fewer where there are many positions."""
        return RESAMPLES if self.right.size <= _MANY else RESAMPLES // 5

    def value(self, weights: Array | None = None) -> float:
        """The score over all samples, in per cent."""
        right, predicted = self.right.ravel(), self.predicted.ravel()
        each = None if weights is None else np.repeat(weights, self.right.shape[1])
        known, hit = predicted >= 0, right == predicted
        count = 1 + max(int(right.max()), int(predicted.max()))

        def counted(classes: Array, chosen: Array | None = None) -> Array:
            if chosen is None:
                return np.bincount(classes, each, count)
            return np.bincount(classes[chosen], None if each is None else each[chosen], count)

        occurring = counted(right) + counted(predicted, known)
        # 2 TP / (2 TP + FP + FN), the harmonic mean of precision and recall
        scores = 2 * counted(right, hit)[occurring > 0] / occurring[occurring > 0]
        return 100.0 * float(scores.mean())

    def interval(self) -> Interval | None:
        """The percentile interval of the bootstrap over samples."""
        return bootstrap(self.value, len(self.right), self.resamples)


def _score(labels: ClassLabels, outputs: Array) -> MacroF1:
    return MacroF1(labels.classes, labels.predicted(outputs).astype(np.int64))


METRIC = Metric("f1", "macro F1 score: the mean over the classes, in %", class_labels, _score)
