"""Labels as metrics take them: the class of each position, or the right values of an output."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import NoReturn

import numpy as np

from kexport.bundle.signature import Array, TensorSpec
from kexport.metrics._metric import MetricError

_OWN = "a metric of your own takes any labels: --metric FILE.py:callable"


class Form(Enum):
    """How an output states classes."""

    SCORES = "a score for each class"
    SCORE = "one score: below the threshold class 0, above it class 1"
    NUMBERS = "numbers of classes"


@dataclass(frozen=True)
class ClassLabels:
    """The right class of every position.

    Attributes:
        classes: numbers of classes, of shape `(samples, positions)`.
        form: how the output states classes.
        threshold: of a single score: a half for probabilities, 0 for logits; None until outputs were seen.
    """

    classes: Array
    form: Form
    threshold: float | None = None

    @property
    def positions(self) -> int:
        """The number of positions of each sample."""
        return int(self.classes.shape[1])

    @property
    def remarks(self) -> tuple[str, ...]:
        """How a single score is read."""
        if self.threshold is None:
            return ()
        seen = "all outputs are from 0 to 1" if self.threshold else "some outputs are below 0 or above 1"
        return (f"class 1 is what is above {self.threshold:g}, as {seen}",)

    def seen(self, outputs: Array) -> ClassLabels:
        """The labels with the threshold of a single score: outputs that are all from 0 to 1 are probabilities."""
        if self.form is not Form.SCORE:
            return self
        finite = outputs[np.isfinite(outputs)]
        return replace(self, threshold=0.5 if ((finite >= 0) & (finite <= 1)).all() else 0.0)

    def scores(self, outputs: Array) -> Array:
        """The scores of all classes, of shape `(samples, positions, classes)`.

        Raises:
            MetricError: they do not fit the labels.
        """
        scores = outputs.reshape(*self.classes.shape, -1)
        if self.classes.max(initial=0) >= scores.shape[2]:
            _refuse_class(self.classes, scores.shape[2])
        return scores

    def predicted(self, outputs: Array) -> Array:
        """The class of every position, of shape `(samples, positions)`; -1, which is never right, where it is NaN."""
        if self.form is Form.NUMBERS:
            return outputs.reshape(self.classes.shape)
        if self.form is Form.SCORE:
            single = outputs.reshape(self.classes.shape)
            threshold = self.seen(outputs).threshold if self.threshold is None else self.threshold
            return np.where(np.isnan(single), -1, (single > threshold).astype(np.int64))
        scores = self.scores(outputs)
        return np.where(np.isnan(scores).any(axis=2), -1, scores.argmax(axis=2))


@dataclass(frozen=True)
class ValueLabels:
    """The right values of an output, real numbers of shape `(samples, elements)`."""

    values: Array

    @property
    def remarks(self) -> tuple[str, ...]:
        """Nothing: values are read as they are."""
        return ()

    def seen(self, outputs: Array) -> ValueLabels:
        """The labels themselves: outputs decide nothing."""
        return self

    def apart(self, outputs: Array) -> Array:
        """How far each output is from its label, of shape `(samples, elements)`, float64."""
        with np.errstate(invalid="ignore", over="ignore"):  # told by the figure, which is not finite
            return np.abs(outputs.reshape(self.values.shape).astype(np.float64) - self.values)


def class_labels(labels: Array, spec: TensorSpec) -> ClassLabels:
    """Labels of a classifier: numbers of classes for every position, or one-hot.

    Args:
        labels: numbers, whose first axis counts the samples.
        spec: of the output: scores of classes along the last axis, one score of two classes, or numbers of classes.

    Raises:
        MetricError: they are no classes, or do not fit the output.
    """
    _require_numbers(labels, "numbers of classes, such as the index of each name in the model's output")
    rest = spec.shape[1:]
    if spec.numpy_dtype.kind not in "biuf":
        raise MetricError(f"output {spec.name!r} of dtype {spec.dtype} states no classes to compare", hint=_OWN)
    if spec.numpy_dtype.kind != "f":
        form, places, count = Form.NUMBERS, rest, None
    elif not rest or rest[-1] == 1:
        form, places, count = Form.SCORE, rest[:-1], 2
    else:
        form, places, count = Form.SCORES, rest[:-1], rest[-1]
    if labels.ndim - len(places) in (1, 2) and _fits(labels, (*places, 1)):
        classes = labels.reshape(len(labels), -1)
        if (classes != np.rint(classes)).any():
            row = int(np.argwhere(classes != np.rint(classes))[0, 0])
            raise MetricError(
                "the labels are no numbers of classes", got=f"{classes[row].tolist()} in row {row}",
                expected="whole numbers from 0, or one-hot", hint="--metric mae or rmse takes any numbers",
            )  # fmt: skip
        classes = classes.astype(np.int64)
    elif form is not Form.NUMBERS and _fits(labels, (*places, count)) and labels.ndim == 2 + len(places):
        classes = _from_one_hot(labels).reshape(len(labels), -1)
    else:
        numbers, columns = ", ".join(_sizes(places)), ", ".join(_sizes((*places, count)))
        expected = f"(samples{', ' * bool(places)}{numbers}) numbers of classes" if places else "(samples,) numbers"
        raise MetricError(
            f"the labels do not fit output {spec.name!r} of shape {spec.shape_text()}",
            got=f"shape {labels.shape}",
            expected=expected + f" or (samples, {columns}) one-hot" * (form is not Form.NUMBERS),
        )
    if classes.min(initial=0) < 0 or (count is not None and classes.max(initial=0) >= count):
        _refuse_class(classes, count)
    return ClassLabels(classes, form)


def value_labels(labels: Array, spec: TensorSpec) -> ValueLabels:
    """Labels of a regression: as many numbers for each sample as the output has.

    Raises:
        MetricError: they are no numbers, or do not fit the output.
    """
    _require_numbers(labels, "numbers")
    if spec.numpy_dtype.kind not in "biuf":
        raise MetricError(f"output {spec.name!r} of dtype {spec.dtype} is no real number", hint=_OWN)
    ours = [size for size in labels.shape[1:] if size != 1]
    theirs = [size for size in spec.shape[1:] if size != 1]
    if len(ours) != len(theirs) or any(size not in (None, own) for own, size in zip(ours, theirs, strict=True)):
        raise MetricError(
            f"the labels do not fit output {spec.name!r}",
            got=f"shape {labels.shape}",
            expected=f"shape {spec.shape_text()}",
            hint="--metric accuracy, top5 or f1 takes numbers of classes" if labels.dtype.kind in "iu" else None,
        )
    return ValueLabels(labels.reshape(len(labels), -1).astype(np.float64))


def _require_numbers(labels: Array, expected: str) -> None:
    if labels.dtype.kind not in "biuf":
        hint = _OWN
        if labels.dtype.kind in "US":
            hint = "if classes are in alphabetical order: numpy.unique(labels, return_inverse=True)[1]; else " + _OWN
        first = f", such as {labels.flat[0]!s:.40}" * bool(labels.size)
        raise MetricError("the labels are no numbers", got=f"{labels.dtype}{first}", expected=expected, hint=hint)
    if labels.dtype.kind == "f" and not np.isfinite(labels).all():
        row = int(np.argwhere(~np.isfinite(labels))[0, 0])
        raise MetricError("the labels hold NaN or infinity", got=f"in row {row}", hint="leave such samples out")


def _from_one_hot(labels: Array) -> Array:
    """The class of every position.

    Raises:
        MetricError: a position has none, or several.
    """
    good = np.isin(labels, (0, 1)).all(axis=-1) & (labels.sum(axis=-1) == 1)
    if not good.all():
        place = tuple(np.argwhere(~good)[0])
        raise MetricError(
            "the labels are not one-hot", got=f"{labels[place].tolist()} in row {place[0]}"[:100],
            expected="a single 1 among zeros for each sample", hint=_OWN,
        )  # fmt: skip
    return np.asarray(labels.argmax(axis=-1))


def _refuse_class(classes: Array, count: int | None) -> NoReturn:
    row, place = np.argwhere((classes < 0) | (classes >= (classes.max() + 1 if count is None else count)))[0]
    raise MetricError(
        "a label is out of the range of classes",
        got=f"{classes[row, place]} in row {row}",
        expected="whole numbers from 0" if count is None else f"0 to {count - 1}",
    )


def _fits(labels: Array, sizes: tuple[int | None, ...]) -> bool:
    """Whether every axis behind the first has its size, as far as that is known."""
    return labels.ndim <= 1 + len(sizes) and all(
        expected in (None, size) for size, expected in zip(labels.shape[1:], sizes, strict=False)
    )


def _sizes(places: tuple[int | None, ...]) -> list[str]:
    return ["any" if size is None else str(size) for size in places]
