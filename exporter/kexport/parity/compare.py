"""Comparing what a runtime computed with the truth, output by output; every difference is reported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kexport.bundle.manifest import OutputLimit
from kexport.bundle.signature import Array, TensorSpec
from kexport.parity.tolerance import LARGEST_LIMIT

UNIT = "of output scale"
UNIT_EXACT = "elements that differ"


@dataclass(frozen=True)
class Outcome:
    """What the comparison of one output over all goldens came to.

    Attributes:
        figure: the largest distance; None when no number could be compared.
        limit: what it may be at most.
        unit: of both.
        problems: one text a difference; empty when all is right.
        ran: False when the output cannot be judged at all.
        worst: where the largest distance lies, in words.
    """

    figure: float | None
    limit: float
    unit: str
    problems: tuple[str, ...]
    ran: bool = True
    worst: str = ""

    @property
    def passed(self) -> bool:
        """Whether the output is right in every case."""
        return self.ran and not self.problems


def compare(
    spec: TensorSpec,
    limit: OutputLimit,
    labels: Sequence[str],
    truths: Sequence[Array],
    values: Sequence[Array],
    owns: Sequence[Array | None] | None = None,
) -> Outcome:
    """Compare one output with the truth, over all goldens: dtype, shape, NaN/Inf pattern, then numbers.

    Args:
        spec: of the output.
        limit: of the output.
        labels: of the goldens.
        truths: of the goldens.
        values: what the runtime gave for each.
        owns: what Keras itself gave, where float arithmetic makes it another answer: as right as the truth.
    """
    unit = UNIT if spec.is_float else UNIT_EXACT
    if limit.limit > LARGEST_LIMIT:
        text = f"the model's own float error is {limit.floor:.1e} {UNIT}: nothing can be concluded"
        return Outcome(None, limit.limit, unit, (text,), ran=False)
    problems: list[str] = []
    figure, worst, allowed = 0.0, "", 0
    compared = False
    for label, truth, value, own in zip(labels, truths, values, owns or [None] * len(values), strict=True):
        value = _as_text(value) if value.dtype.kind in "OS" else value
        problem = _structure(spec, truth, value)
        if problem is None and own is not None:
            truth, count = _nearer(spec, truth, own, value)
            allowed += count
        problem = problem or _pattern(spec, truth, value)
        if problem:
            problems.append(f"{label}: {problem}")
            continue
        distance, place = _distance(spec, limit, truth, value)
        compared = True
        if distance > figure:
            figure, worst = distance, f"{label}, {place}"
    if figure > limit.limit:
        problems.append(worst)
    if allowed:
        worst = f"{worst}; " * bool(worst) + f"{allowed} elements are as in Keras, and not as in float64"
    return Outcome(figure if compared else None, limit.limit, unit, tuple(problems), worst=worst)


def _as_text(value: Array) -> Array:
    texts = [item.decode(errors="surrogateescape") if isinstance(item, bytes) else str(item) for item in value.flat]
    return np.array(texts, dtype=str).reshape(value.shape)


def _structure(spec: TensorSpec, truth: Array, value: Array) -> str | None:
    """What is wrong before any number is looked at."""
    if value.dtype != spec.numpy_dtype and not (value.dtype.kind == spec.numpy_dtype.kind == "U"):
        return f"dtype {value.dtype} instead of {spec.dtype}"
    if value.shape != truth.shape:
        return f"shape {value.shape} instead of {truth.shape}"
    return None


def _nearer(spec: TensorSpec, truth: Array, own: Array, value: Array) -> tuple[Array, int]:
    """The truth with the elements of `own` where they say what the value says, and how many these are."""
    if not spec.is_float:
        taken = (value == own) & (value != truth)
    else:
        taken = (_kinds(value) == _kinds(own)) & (_kinds(value) != _kinds(_narrowed(spec, truth)))
    return np.where(taken, own.astype(truth.dtype), truth), int(taken.sum())


def _narrowed(spec: TensorSpec, truth: Array) -> Array:
    with np.errstate(over="ignore"):  # beyond the dtype's range the right answer is infinity
        return truth.astype(spec.numpy_dtype)


def _kinds(values: Array) -> Array:
    """Of each element: 0 when it is finite, 1 for NaN, 2 for +Inf, 3 for -Inf; of complex ones, of both parts."""
    if values.dtype.kind == "c":
        return np.asarray(_kinds(values.real) + 4 * _kinds(values.imag))
    return np.asarray(np.isnan(values) + 2 * np.isposinf(values) + 3 * np.isneginf(values))


def _pattern(spec: TensorSpec, truth: Array, value: Array) -> str | None:
    """What is wrong with NaN and infinity."""
    if not spec.is_float:
        return None
    wanted, got = _kinds(_narrowed(spec, truth)), _kinds(value)
    for number, name in ((1, "NaN"), (2, "+Inf"), (3, "-Inf")):
        wrong = int(((wanted == number) != (got == number)).sum())
        if wrong:
            return f"{name} in the wrong place, or missing, at {wrong} of {value.size} elements"
    return None if (wanted == got).all() else "NaN or infinity in the wrong place, or missing"


def _distance(spec: TensorSpec, limit: OutputLimit, truth: Array, value: Array) -> tuple[float, str]:
    """The largest distance in `UNIT` (or the count of wrong elements), and where it is."""
    if value.size == 0:
        return 0.0, ""
    if not spec.is_float:
        differing = np.asarray(truth != value)
        where = np.unravel_index(int(differing.argmax()), differing.shape)
        return float(differing.sum()), _place(where, value, truth)
    with np.errstate(invalid="ignore", over="ignore"):  # infinity minus infinity
        apart = np.asarray(np.abs(value.astype(truth.dtype) - truth))
    apart[_kinds(value) != 0] = 0.0  # both are infinite or NaN, alike: the pattern was compared
    where = np.unravel_index(int(apart.argmax()), apart.shape)
    return float(apart[where]) / limit.scale, _place(where, value, truth)


def _place(where: tuple[np.intp, ...], value: Array, truth: Array) -> str:
    index = ", ".join(str(int(i)) for i in where)
    return f"element [{index}]: {value[where]!s} instead of {truth[where]!s}"
