"""A metric of a model on labelled samples, whatever runs the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from kexport.bundle.signature import Array, TensorSpec
from kexport.field.evaluation.labelled_samples import LabelledSamples
from kexport.metrics import Change, FittedLabels, Interval, Metric, MetricError, Scores, change

#: Runs a model: inputs by name to outputs by name.
Run = Callable[[Mapping[str, Array]], Mapping[str, Array]]


@dataclass(frozen=True)
class Score:
    """The figure of one model.

    Attributes:
        value: the figure, in the unit of the metric, finite.
        interval: where that of infinitely many such samples is likely to be, by a confidence of 95 %.
        scores: of all samples.
        unanswered: how many samples have NaN among their outputs.
    """

    value: float
    interval: Interval | None
    scores: Scores
    unanswered: int = 0


@dataclass(frozen=True)
class Evaluation:
    """A metric of one output, on labelled samples.

    Attributes:
        metric: the metric.
        output: the output.
        samples: inputs and labels.
        labels: the labels as the metric takes them.
    """

    metric: Metric[Any]
    output: TensorSpec
    samples: LabelledSamples
    labels: FittedLabels

    def reference(self, run: Run) -> tuple[Evaluation, Score]:
        """The score of the model that others are compared with, and the evaluation of these.

        What the outputs of the reference decide, such as whether they are probabilities, holds for the others too.

        Raises:
            MetricError: there is no finite figure.
            Exception: whatever `run` raises.
        """
        outputs = self._outputs(run)
        decided = replace(self, labels=self.labels.seen(outputs))
        return decided, decided._scored(outputs)

    def score(self, run: Run) -> Score:
        """The score of one model, on all samples; raises as `reference` does."""
        return self._scored(self._outputs(run))

    def change(self, reference: Score, other: Score) -> Change:
        """The change from one model to another."""
        return change(self.metric, reference.scores, other.scores)

    def _scored(self, outputs: Array) -> Score:
        scores = self.metric.score(self.labels, outputs)
        value = scores.value()
        missing = np.isnan(outputs) if outputs.dtype.kind in "fc" else np.zeros(outputs.shape, bool)
        return Score(value, scores.interval(), scores, int(missing.reshape(len(outputs), -1).any(axis=1).sum()))

    def _outputs(self, run: Run) -> Array:
        """The output for all samples, along the first axis."""
        parts: list[Array] = []
        name = self.output.name
        for feeds, count in self.samples.calls():
            part = np.asarray(run(feeds)[name])
            fed = len(next(iter(feeds.values())))
            if not part.ndim or len(part) != fed or (parts and part.shape[1:] != parts[0].shape[1:]):
                raise MetricError(
                    f"output {name!r} has no row for each sample", got=f"shape {part.shape} for {fed} samples",
                    expected="an output whose first axis counts the samples",
                )  # fmt: skip
            parts.append(part[:count])
        return np.concatenate(parts)
