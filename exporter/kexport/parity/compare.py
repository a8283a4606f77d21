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
    spec: TensorSpec, limit: OutputLimit, labels: Sequence[str], truths: Sequence[Array], values: Sequence[Array]
) -> Outcome:
    """Compare one output with the truth, over all goldens: dtype, shape, NaN/Inf pattern, then numbers."""
    unit = UNIT if spec.is_float else UNIT_EXACT
    if limit.limit > LARGEST_LIMIT:
        text = f"the model's own float error is {limit.floor:.1e} {UNIT}: nothing can be concluded"
        return Outcome(None, limit.limit, unit, (text,), ran=False)
    problems: list[str] = []
    figure, worst = 0.0, ""
    compared = False
    for label, truth, value in zip(labels, truths, values, strict=True):
        problem = _structure(spec, truth, value)
        if problem:
            problems.append(f"{label}: {problem}")
            continue
        distance, place = _distance(spec, limit, truth, value)
        compared = True
        if distance > figure:
            figure, worst = distance, f"{label}, {place}"
    if figure > limit.limit:
        problems.append(worst)
    return Outcome(figure if compared else None, limit.limit, unit, tuple(problems), worst=worst)


def _structure(spec: TensorSpec, truth: Array, value: Array) -> str | None:
    """What is wrong before any number is looked at."""
    if value.dtype != spec.numpy_dtype and value.dtype.kind not in "OSU":
        return f"dtype {value.dtype} instead of {spec.dtype}"
    if value.shape != truth.shape:
        return f"shape {value.shape} instead of {truth.shape}"
    if spec.is_float:
        with np.errstate(over="ignore"):  # beyond the dtype's range the right answer is infinity
            wanted = truth.astype(spec.numpy_dtype)
        for name, test in (("NaN", np.isnan), ("+Inf", np.isposinf), ("-Inf", np.isneginf)):
            wrong = int((test(wanted) != test(value)).sum())
            if wrong:
                return f"{name} in the wrong place, or missing, at {wrong} of {value.size} elements"
    return None


def _distance(spec: TensorSpec, limit: OutputLimit, truth: Array, value: Array) -> tuple[float, str]:
    """The largest distance in `UNIT` (or the count of wrong elements), and where it is."""
    if value.size == 0:
        return 0.0, ""
    if not spec.is_float:
        if value.dtype.kind in "OS":
            decode = np.vectorize(lambda item: item.decode() if isinstance(item, bytes) else str(item), otypes=[str])
            value = decode(value)
        differing = truth != value
        where = np.unravel_index(int(differing.argmax()), differing.shape)
        return float(differing.sum()), _place(where, value, truth)
    with np.errstate(invalid="ignore"):  # infinity minus infinity
        apart = np.abs(value.astype(np.float64) - truth)
    apart[~np.isfinite(apart)] = 0.0  # both are infinite or NaN, alike: the pattern was compared
    where = np.unravel_index(int(apart.argmax()), apart.shape)
    return float(apart[where]) / limit.scale, _place(where, value, truth)


def _place(where: tuple[np.intp, ...], value: Array, truth: Array) -> str:
    index = ", ".join(str(int(i)) for i in where)
    return f"element [{index}]: {value[where]!s} instead of {truth[where]!s}"
