"""Comparing one output with the truth; every difference is reported."""

from __future__ import annotations

import math

import numpy as np

from kexport.bundle.json_text import Json, JsonObject
from kexport.bundle.limits import DECLARED, OutputLimit
from kexport.bundle.precision import BUDGET
from kexport.bundle.signature import Array, TensorSpec
from kexport.parity.outcome import UNIT, UNIT_DECIBELS, UNIT_DIFFERENCE, UNIT_EXACT, Element, Outcome
from kexport.parity.structure import as_text, matched_to_keras, nonfinite_problem, structure_problem
from kexport.parity.tally import Tally
from kexport.parity.tolerance import EPSILON, EXACT, LARGEST_LIMIT, own_limits

_MOST_PROBLEMS = 20  # reported in words; the rest is counted


class OutputComparison:
    """The comparison of one output with the truth, golden after golden; none is kept in memory.

    An element that one unit in the last place turns into another number is right where it is the truth, or what Keras
    computes; where it is neither it cannot be judged and is set apart.

    The metrics are `samples`; `elements`; `error`, the largest distance relative to the output's scale; `set_apart`,
    how many elements are, and `samples_set_apart`; `ill_conditioned`, how many have a wider limit of their own, because
    one unit in the last place moves them by more than the limit; `ulp`, the largest distance in units in the last place
    of the output's scale; `noise_multiple`, the same in noise floors; `sqnr_db`, the ratio of signal to error;
    `label_flips`, in how many rows of scores another column is the largest; `worst`, the golden, index, value and truth
    of the worst element; `floor`, and where the limit comes from; `distribution`, how many elements err by how much.

    Args:
        spec: the specification of the output.
        limit: the limit of the output.
        one_case: whether it is about a single case, which may have nothing but NaN or infinity; of all goldens together
            that proves nothing.
    """

    def __init__(self, spec: TensorSpec, limit: OutputLimit, *, one_case: bool = False) -> None:
        self._spec, self._limit, self._one_case = spec, limit, one_case
        self._tally = Tally()
        self._problems: list[str] = []
        self._unreported = 0
        self._figure = 0.0
        self._worst: Element | None = None
        self._compared = False
        self._numbers = False  # whether any element was a number, or text, rather than NaN or infinity
        self._malformed = False
        self._scores = len(spec.shape) == 2 and (spec.shape[1] or 0) > 1  # a row of scores, one of each class
        self._exact = not spec.is_float and (limit.source == EXACT or spec.numpy_dtype.kind == "U")

    def add(
        self,
        label: str,
        truth: Array,
        value: Array,
        keras_output: Array | None = None,
        ulp_sensitivity: Array | None = None,
    ) -> None:
        """Compare one golden: dtype, shape, NaN/Inf pattern, then numbers.

        Args:
            label: the label of the golden.
            truth: the truth of the output.
            value: what the runtime computed, of the truth's shape.
            keras_output: Keras' own output where it legitimately differs from the truth: both are right.
            ulp_sensitivity: how far one unit in the last place of the inputs moves each element of the truth.
        """
        value = as_text(value)
        self._tally.add_golden(truth)
        problem = structure_problem(self._spec, truth, value)
        if problem:
            self._malformed = True
            self._report(f"{label}: {problem}")
            return
        if keras_output is not None:
            truth, count = matched_to_keras(self._spec, truth, keras_output, value, self._limit.absolute)
            self._tally.as_in_keras += count
        if value.size == 0:
            self._compared = self._numbers = True
            return
        if self._spec.is_float:
            self._add_floats(label, truth, value, ulp_sensitivity)
        else:
            self._add_exact(label, truth, value, ulp_sensitivity)

    def _add_floats(self, label: str, truth: Array, value: Array, ulp_sensitivity: Array | None) -> None:
        with np.errstate(invalid="ignore", over="ignore"):  # infinity minus infinity
            error = np.asarray(np.subtract(value, truth, dtype=truth.dtype))
            error = np.abs(error) if truth.dtype.kind == "c" else np.abs(error, out=error)
        largest = float(error.max())
        odd = None
        if not math.isfinite(largest):
            problem = nonfinite_problem(self._spec, truth, value, ulp_sensitivity)
            if problem:
                self._report(f"{label}: {problem}")
                return
            odd = ~np.isfinite(error)
            error[odd] = 0.0  # both are infinite or NaN, alike; or one unit in the last place makes them so
            largest = float(error.max())
        self._compared = True
        self._numbers = self._numbers or odd is None or not odd.all()
        if self._scores and truth.dtype.kind == "f":
            self._tally.add_label_flips(truth, value)
        counted = truth
        if ulp_sensitivity is not None and (ulp_sensitivity > self._limit.sensitive).any():
            unlike = None if odd is None else odd & (np.isfinite(value) | np.isfinite(truth))
            skipped = self._judge_ill_conditioned(label, (truth, value), error, ulp_sensitivity, unlike)
            self._tally.add_errors(error[~skipped])
            error[skipped] = 0.0
            counted = np.where(skipped, 0.0, truth)
            largest = float(error.max())
        else:
            self._tally.add_errors(error)
        self._tally.add_power(counted, error)
        figure = largest / self._limit.scale
        if figure > self._figure or self._worst is None:
            where = _index(int(error.argmax()), error.shape)
            self._note_worst(figure, label, where, value, truth)

    def _judge_ill_conditioned(
        self, label: str, pair: tuple[Array, Array], error: Array, ulp_sensitivity: Array, unlike: Array | None
    ) -> Array:
        """Widen the limit of ill-conditioned elements, or set them apart; return which ones the common limit skips.

        Args:
            label: the label of the golden.
            pair: truth and value.
            error: how far they are apart, 0 where one of them is no number.
            ulp_sensitivity: how far one unit in the last place moves each element of the truth.
            unlike: where one of them alone is a number, if that is anywhere.
        """
        truth, value = pair
        sensitive = ulp_sensitivity > self._limit.sensitive
        ceiling = LARGEST_LIMIT * np.maximum(self._limit.scale, np.abs(truth))
        own = own_limits(self._limit, ulp_sensitivity)
        judged = sensitive & (own <= ceiling)
        edges = sensitive & ~judged
        differing = error > self._limit.peak * self._limit.scale
        self._tally.add_excluded(edges & (differing if unlike is None else differing | unlike))
        if self._limit.decibels is not None:  # a ratio is for what errs by far more than one unit in the last place
            return edges
        self._tally.ill_conditioned += int(judged.sum())
        wrong = judged & (error > own)
        if wrong.any():
            where = _index(int(np.where(wrong, error, -1.0).argmax()), error.shape)
            place = _place(where, value, truth)
            self._report(f"{label}, {place}, though one ulp moves the model by {ulp_sensitivity[where]:.1e}")
        return sensitive

    def _add_exact(self, label: str, truth: Array, value: Array, ulp_sensitivity: Array | None) -> None:
        self._compared = self._numbers = True
        differing = np.asarray(truth != value)
        if ulp_sensitivity is not None and ulp_sensitivity.any():
            self._tally.add_excluded(differing & (ulp_sensitivity != 0))
            differing &= ulp_sensitivity == 0
        if not differing.any():
            return
        if self._exact:
            figure = float(differing.sum())
            where = _index(int(differing.argmax()), differing.shape)
        else:
            sizes = np.abs(truth.astype(np.float64) - value.astype(np.float64)) * differing
            where = _index(int(sizes.argmax()), sizes.shape)
            figure = float(sizes[where])
        if figure > self._figure:
            self._note_worst(figure, label, where, value, truth)

    def _note_worst(self, figure: float, label: str, index: tuple[int, ...], value: Array, truth: Array) -> None:
        self._figure = max(self._figure, figure)
        text = f"{label}, {_place(index, value, truth)}" if figure else ""
        self._worst = Element(label, index, _plain(value[index]), _plain(truth[index]), text)

    def _report(self, problem: str) -> None:
        if len(self._problems) < _MOST_PROBLEMS:
            self._problems.append(problem)
        else:
            self._unreported += 1

    def outcome(self) -> Outcome:
        """The result so far."""
        limit, unit = self._limit, self._unit()
        figure: float | None = self._figure if self._compared else None
        allowed = limit.limit
        problems = list(self._problems)
        worst = self._worst.text if self._worst is not None else ""
        if limit.decibels is not None and self._spec.is_float:
            figure, allowed = self._tally.decibels, limit.decibels
            if self._compared and figure is not None and figure < allowed:
                problems += [worst, *self._beyond_budget(figure)]
        elif figure is not None and figure > allowed:
            problems.append(worst)
        metrics = self._metrics()
        text = self._unjudged(failed=bool(problems))
        if text:
            return Outcome(None, limit.limit, unit, (text,), ran=False, worst=self._worst, metrics=metrics)
        if self._unreported:
            problems.append(f"and {self._unreported} more")
        remarks = ([worst] if worst else []) + self._tally.remarks()
        return Outcome(figure, allowed, unit, tuple(problems), tuple(remarks), worst=self._worst, metrics=metrics)

    def _beyond_budget(self, decibels: float) -> list[str]:
        """What to do about an artifact in a small precision that errs by more than its budget."""
        if self._limit.source != BUDGET:
            return []
        least = f"less than {self._limit.reason}, {self._limit.decibels:g} dB"
        way_out = "calibrate on more data, leave out this precision, or state what is enough with --budget"
        return [f"{decibels:.1f} dB of signal to noise, {least}: {way_out}"]

    def _unit(self) -> str:
        if self._spec.is_float:
            return UNIT if self._limit.decibels is None else UNIT_DECIBELS
        return UNIT_EXACT if self._exact else UNIT_DIFFERENCE

    def _unjudged(self, *, failed: bool) -> str | None:
        """Why nothing can be concluded; None when something can: a wrong dtype or shape always counts."""
        if self._malformed:
            return None
        stated = self._limit.source == DECLARED or (self._limit.source == BUDGET and self._limit.decibels is None)
        if self._limit.limit > LARGEST_LIMIT and not stated and self._spec.is_float:
            return f"the model's own float error is {self._limit.floor:.1e} {UNIT}: nothing can be concluded"
        if self._compared and not self._numbers and not self._one_case and not failed:
            return "every element is NaN or infinite, in the truth too: no number was compared"
        if self._tally.mostly_excluded and not failed:
            return (
                f"{self._tally.excluded} of {self._tally.elements} elements differ where one unit in the last place "
                "changes the value: they are set apart, and nothing can be concluded"
            )
        return None

    def _metrics(self) -> JsonObject:
        metrics: dict[str, Json] = dict(self._tally.counts())
        if self._compared and self._spec.is_float:
            ulp = EPSILON.get(self._spec.dtype, EPSILON["float32"])
            metrics |= {
                "error": _finite(self._figure),
                "ulp": _finite(self._figure / ulp),
                "noise_multiple": _finite(self._figure / self._limit.floor) if self._limit.floor else None,
                "sqnr_db": _finite(self._tally.decibels),
                "floor": self._limit.floor,
                "distribution": self._tally.distribution(self._limit.scale),
            }
        if self._tally.label_flips is not None:
            metrics["label_flips"] = self._tally.label_flips
        if self._worst is not None:
            metrics["worst"] = self._worst.to_json()
        metrics["limit_source"] = self._limit.source
        if self._limit.reason:
            metrics["limit_reason"] = self._limit.reason
        return metrics


def _finite(value: float | None) -> float | None:
    """The number itself; None for what JSON cannot hold."""
    return value if value is not None and math.isfinite(value) else None


def _plain(value: object) -> float | str:
    """A number as JSON holds it; text for what it cannot hold: NaN, infinity, complex numbers."""
    item: object = value.item() if isinstance(value, np.generic) else value
    if isinstance(item, bool | int) or (isinstance(item, float) and math.isfinite(item)):
        return item
    return str(item)


def _index(flat: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(int(i) for i in np.unravel_index(flat, shape))


def _place(index: tuple[int, ...], value: Array, truth: Array) -> str:
    return f"element [{', '.join(map(str, index))}]: {value[index]!s} instead of {truth[index]!s}"
