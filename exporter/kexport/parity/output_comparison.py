"""Comparing what a runtime computed with the truth, output by output; every difference is reported."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kexport.bundle.manifest import OutputLimit
from kexport.bundle.signature import Array, TensorSpec
from kexport.parity.tolerance import DECLARED, EPSILON, EXACT, FLOOR_MULTIPLE, LARGEST_LIMIT

UNIT = "of output scale"
UNIT_EXACT = "elements that differ"
UNIT_DIFFERENCE = "of difference"
UNIT_DECIBELS = "dB"
_MOST_PROBLEMS = 20  # that are told in words; the rest is counted


@dataclass(frozen=True)
class Outcome:
    """What the comparison of one output over all goldens came to.

    Attributes:
        figure: the largest distance; None when no number could be compared.
        limit: what it may be at most (in decibels: at least).
        unit: of both.
        problems: one text a difference; empty when all is right.
        ran: False when the output cannot be judged at all.
        worst: where the largest distance lies, in words.
        metrics: the figures of the comparison by name; `Comparison` says which.
    """

    figure: float | None
    limit: float
    unit: str
    problems: tuple[str, ...]
    ran: bool = True
    worst: str = ""
    metrics: Mapping[str, Any] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether the output is right in every case."""
        return self.ran and not self.problems


class Comparison:
    """The comparison of one output with the truth, golden after golden: none is kept.

    The metrics are `samples`; `elements`; `set_apart`, how many elements cannot be judged because one unit in the last
    place makes another number of them, and `samples_set_apart`; `ill_conditioned`, how many have a wider limit of their
    own, because one unit in the last place moves them by more than the limit; `ulp`, the largest distance in units in
    the last place of the output's scale; `noise_multiple`, the same in noise floors; `sqnr_db`, the ratio of signal to
    error; `label_flips`, in how many rows of scores another column is the largest; `worst`, the golden, index, value
    and truth of the worst element; `floor`, and where the limit comes from.

    Args:
        spec: of the output.
        limit: of the output.
    """

    def __init__(self, spec: TensorSpec, limit: OutputLimit) -> None:
        self._spec, self._limit = spec, limit
        self._problems: list[str] = []
        self._unsaid = 0
        self._figure = 0.0
        self._compared = False
        self._worst: dict[str, Any] = {}
        self._malformed = False
        self._as_in_keras = 0
        self._elements = self._apart = self._samples = self._samples_apart = self._ill_conditioned = 0
        self._signal = self._error = 0.0
        self._flips: int | None = None
        self._scores = len(spec.shape) == 2 and (spec.shape[1] or 0) > 1  # a row of scores, one of each class
        self._exact = not spec.is_float and (limit.source == EXACT or spec.numpy_dtype.kind == "U")

    def add(self, label: str, truth: Array, value: Array, own: Array | None = None, moves: Array | None = None) -> None:
        """Compare one golden: dtype, shape, NaN/Inf pattern, then numbers.

        Args:
            label: of the golden.
            truth: of the output.
            value: what the runtime gave.
            own: what Keras itself gave, where float arithmetic makes it another answer: as right as the truth.
            moves: how far one unit in the last place moves each element of the truth.
        """
        value = as_text(value)
        self._samples += len(truth) if truth.ndim else 1
        self._elements += truth.size
        problem = structure_problem(self._spec, truth, value)
        if problem:
            self._malformed = True
            self._say(f"{label}: {problem}")
            return
        if own is not None:
            truth, count = _nearer(self._spec, truth, own, value)
            self._as_in_keras += count
        if value.size == 0:
            self._compared = True
            return
        if self._spec.is_float:
            self._add_floats(label, truth, value, moves)
        else:
            self._add_exact(label, truth, value, moves)

    def _add_floats(self, label: str, truth: Array, value: Array, moves: Array | None) -> None:
        with np.errstate(invalid="ignore", over="ignore"):  # infinity minus infinity
            apart = np.asarray(np.subtract(value, truth, dtype=truth.dtype))
            apart = np.abs(apart) if truth.dtype.kind == "c" else np.abs(apart, out=apart)
        top = float(apart.max())
        if not math.isfinite(top):
            problem = _pattern(self._spec, truth, value, moves)
            if problem:
                self._say(f"{label}: {problem}")
                return
            apart[~np.isfinite(apart)] = 0.0  # both are infinite or NaN, alike
            top = float(apart.max())
        self._compared = True
        self._count_flips(truth, value)
        allowed = self._limit.limit * self._limit.scale
        counted = truth
        if moves is not None and (moves > allowed).any():
            excepted = self._judge_ill_conditioned(label, truth, value, apart, moves)
            apart[excepted] = 0.0
            counted = np.where(excepted, 0.0, truth)
            top = float(apart.max())
        self._sum_up(counted, apart)
        figure = top / self._limit.scale
        if figure > self._figure or not self._worst:
            where = np.unravel_index(int(apart.argmax()), apart.shape)
            self._note_worst(figure, label, where, value, truth)

    def _judge_ill_conditioned(self, label: str, truth: Array, value: Array, apart: Array, moves: Array) -> Array:
        """Elements that one unit in the last place moves beyond the limit have a limit of their own, or none.

        Returns which elements the limit of the output says nothing of.
        """
        edges = moves > self._limit.limit * self._limit.scale
        judged = edges & (FLOOR_MULTIPLE * moves <= LARGEST_LIMIT * np.maximum(self._limit.scale, np.abs(truth)))
        self._count_apart(edges & ~judged)
        if self._limit.decibels is not None:  # a ratio is for what errs by far more than one unit in the last place
            return edges & ~judged
        self._ill_conditioned += int(judged.sum())
        gross = judged & (apart > FLOOR_MULTIPLE * moves)
        if gross.any():
            where = np.unravel_index(int(np.where(gross, apart, -1.0).argmax()), apart.shape)
            self._say(f"{label}, {_place(where, value, truth)}, though one ulp moves the model by {moves[where]:.1e}")
        return edges

    def _add_exact(self, label: str, truth: Array, value: Array, moves: Array | None) -> None:
        self._compared = True
        differing = np.asarray(truth != value)
        if moves is not None and moves.any():
            self._count_apart(moves != 0)
            differing &= moves == 0
        if not differing.any():
            return
        if self._exact:
            figure = float(differing.sum())
            where = np.unravel_index(int(differing.argmax()), differing.shape)
        else:
            sizes = np.abs(truth.astype(np.float64) - value.astype(np.float64)) * differing
            where = np.unravel_index(int(sizes.argmax()), sizes.shape)
            figure = float(sizes[where])
        if figure > self._figure:
            self._note_worst(figure, label, where, value, truth)

    def _note_worst(self, figure: float, label: str, where: Sequence[Any], value: Array, truth: Array) -> None:
        self._figure = max(self._figure, figure)
        self._worst = {
            "golden": label,
            "index": [int(i) for i in where],
            "value": _plain(value[tuple(where)]),
            "truth": _plain(truth[tuple(where)]),
            "text": f"{label}, {_place(where, value, truth)}" if figure else "",
        }

    def _say(self, problem: str) -> None:
        if len(self._problems) < _MOST_PROBLEMS:
            self._problems.append(problem)
        else:
            self._unsaid += 1

    def _count_apart(self, edges: Array) -> None:
        self._apart += int(edges.sum())
        self._samples_apart += int(edges.reshape(len(edges), -1).any(axis=1).sum()) if edges.ndim else int(edges)

    def _sum_up(self, truth: Array, apart: Array) -> None:
        signal, error = np.abs(truth).ravel() if truth.dtype.kind == "c" else truth.ravel(), apart.ravel()
        total = _power(signal)
        if math.isfinite(total):  # NaN and infinity have no power; such a golden is left out of the ratio
            self._signal += total
            self._error += _power(error)

    def _count_flips(self, truth: Array, value: Array) -> None:
        if self._scores and truth.dtype.kind == "f":
            flips = int((truth.argmax(axis=1) != value.argmax(axis=1)).sum())
            self._flips = flips + (self._flips or 0)

    def outcome(self) -> Outcome:
        """What it came to, so far."""
        limit, unit = self._limit, self._unit()
        figure: float | None = self._figure if self._compared else None
        allowed = limit.limit
        problems = list(self._problems)
        worst = str(self._worst.get("text", ""))
        if limit.decibels is not None and self._spec.is_float:
            figure, allowed = self._decibels(), limit.decibels
            if self._compared and figure is not None and figure < allowed:
                problems.append(worst)
        elif figure is not None and figure > allowed:
            problems.append(worst)
        text = self._unjudged(failed=bool(problems))
        if text:
            return Outcome(None, limit.limit, unit, (text,), ran=False, metrics=self._metrics())
        if self._unsaid:
            problems.append(f"and {self._unsaid} more")
        remarks = [worst] if worst else []
        if self._as_in_keras:
            remarks.append(f"{self._as_in_keras} elements are as in Keras, and not as in float64")
        if self._flips:
            remarks.append(f"in {self._flips} of {self._samples} rows another score is the largest")
        if self._apart:
            remarks.append(
                f"{self._apart} elements in {self._samples_apart} of {self._samples} samples are set apart: "
                "one unit in the last place makes another number there"
            )
        if self._ill_conditioned:
            remarks.append(
                f"{self._ill_conditioned} elements have a limit of their own: the model is ill-conditioned there"
            )
        return Outcome(figure, allowed, unit, tuple(problems), worst="; ".join(remarks), metrics=self._metrics())

    def _unit(self) -> str:
        if self._spec.is_float:
            return UNIT if self._limit.decibels is None else UNIT_DECIBELS
        return UNIT_EXACT if self._exact else UNIT_DIFFERENCE

    def _unjudged(self, *, failed: bool) -> str | None:
        """Why nothing can be concluded, None when something can: from a wrong dtype or shape, whatever the numbers."""
        if self._malformed:
            return None
        if self._limit.limit > LARGEST_LIMIT and self._limit.source != DECLARED and self._spec.is_float:
            return f"the model's own float error is {self._limit.floor:.1e} {UNIT}: nothing can be concluded"
        if 2 * self._apart > self._elements and not failed:
            return (
                f"{self._apart} of {self._elements} elements are set apart, because one unit in the last place makes "
                "another number there: nothing can be concluded"
            )
        return None

    def _decibels(self) -> float | None:
        if self._error == 0.0:
            return None  # no error at all: the ratio has no number
        return 10.0 * math.log10(self._signal / self._error) if self._signal else -math.inf

    def _metrics(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "samples": self._samples,
            "elements": self._elements,
            "set_apart": self._apart,
            "samples_set_apart": self._samples_apart,
            "ill_conditioned": self._ill_conditioned,
        }
        if self._compared and self._spec.is_float:
            ulp = EPSILON.get(self._spec.dtype, EPSILON["float32"])
            decibels = self._decibels()
            found |= {
                "ulp": self._figure / ulp,
                "noise_multiple": self._figure / self._limit.floor if self._limit.floor else None,
                "sqnr_db": decibels if decibels is not None and math.isfinite(decibels) else None,
                "floor": self._limit.floor,
            }
        if self._flips is not None:
            found["label_flips"] = self._flips
        if self._worst:
            found["worst"] = {key: value for key, value in self._worst.items() if key != "text"}
        found["limit_source"] = self._limit.source
        if self._limit.reason:
            found["limit_reason"] = self._limit.reason
        return found


def compare(
    spec: TensorSpec,
    limit: OutputLimit,
    labels: Sequence[str],
    truths: Sequence[Array],
    values: Sequence[Array],
    owns: Sequence[Array | None] | None = None,
    moves: Sequence[Array | None] | None = None,
) -> Outcome:
    """Compare one output with the truth, over all goldens; `Comparison.add` explains the arguments."""
    comparison = Comparison(spec, limit)
    nothing: list[Array | None] = [None] * len(values)
    for each in zip(labels, truths, values, owns or nothing, moves or nothing, strict=True):
        comparison.add(*each)
    return comparison.outcome()


def _plain(value: Any) -> Any:
    """A number as JSON holds it, and text for what it cannot: NaN, infinity, complex numbers."""
    item = value.item() if isinstance(value, np.generic) else value
    finite = isinstance(item, bool | int) or (isinstance(item, float) and math.isfinite(item))
    return item if finite else str(item)


def _power(values: Array) -> float:
    """The sum of squares; not by a product of vectors, whose threads would wait for each other on a busy machine."""
    return float(np.einsum("i,i->", values, values))


def as_text(value: Array) -> Array:
    """Text, which runtimes give as objects of several kinds, as NumPy's own kind of it; numbers as they are."""
    if value.dtype.kind not in "OS":
        return value
    texts = [item.decode(errors="surrogateescape") if isinstance(item, bytes) else str(item) for item in value.flat]
    return np.array(texts, dtype=str).reshape(value.shape)


def structure_problem(spec: TensorSpec, truth: Array, value: Array) -> str | None:
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


def _pattern(spec: TensorSpec, truth: Array, value: Array, moves: Array | None) -> str | None:
    """What is wrong with NaN and infinity."""
    wanted, got = _kinds(_narrowed(spec, truth)), _kinds(value)
    if moves is not None:
        got = np.where(np.isfinite(moves), got, wanted)  # one unit in the last place makes it infinite, or finite
    for number, name in ((1, "NaN"), (2, "+Inf"), (3, "-Inf")):
        wrong = int(((wanted == number) != (got == number)).sum())
        if wrong:
            return f"{name} in the wrong place, or missing, at {wrong} of {value.size} elements"
    return None if (wanted == got).all() else "NaN or infinity in the wrong place, or missing"


def _place(where: Sequence[Any], value: Array, truth: Array) -> str:
    index = ", ".join(str(int(i)) for i in where)
    return f"element [{index}]: {value[tuple(where)]!s} instead of {truth[tuple(where)]!s}"
