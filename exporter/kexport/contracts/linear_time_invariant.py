"""The output is the input filtered: a convolution with taps that do not change over time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from kexport.bundle.signature import Array
from kexport.contracts.falsification.hunt import Measured, Propose, falsify
from kexport.contracts.filters.bench import Bench, fitted_taps, measured_taps, rounding, stored
from kexport.contracts.filters.signals import (
    Signal,
    ends,
    filtered,
    no_longer,
    require_same_shape,
    signal_of,
    with_lengths,
)
from kexport.contracts.protocol import Experiment, Verdict, check_by_experiment
from kexport.errors import UsageError
from kexport.parity.space import Form, Population, Space

_LEAST, _LONGEST = 16, 128  # samples: the shortest signal for stated taps, the longest without
_TOO_SHORT = "the outputs are too short to judge a filter"
_UNIT = "from the filtered input"
_NAMED = 3  # taps that the detail names
_MOST_TAPS = 1 << 15  # each of them is applied to every signal, one after another
_SHOWN = 80  # characters


@dataclass(frozen=True)
class LinearTimeInvariant:
    """`y[n] = sum over k of taps[k] x[n + advance - k]`, `x` being 0 outside the signal.

    Attributes:
        taps: the impulse response; None to state only that there is one.
        advance: how many future samples an output sees. An output shorter than the input starts with the first sample
            that sees nothing outside the signal for `len(taps) - 1`.
        skip: how many samples at the two ends of the output are exempt.
        axis: the time axis of input and output; every channel is filtered alone.

    Raises:
        UsageError: a tap is not finite, there is none, there are too many, or another field is not an integer.
    """

    taps: tuple[float, ...] | None = None
    advance: int = 0
    skip: tuple[int, int] = (0, 0)
    axis: int = 1

    kind: ClassVar[str] = "linear_time_invariant"
    check = check_by_experiment

    def __post_init__(self) -> None:
        taps = None if self.taps is None else _numbers(self.taps)
        skip = tuple(self.skip) if isinstance(self.skip, tuple | list) else ()
        whole = all(isinstance(each, int) for each in (self.advance, self.axis, *skip))
        few = len(taps or ()) <= _MOST_TAPS and sum(each for each in skip if whole) <= _MOST_TAPS
        if taps == () or not few or not whole or len(skip) != 2 or min(skip) < 0:
            raise UsageError(
                "contract 'linear_time_invariant' needs a filter",
                got=f"taps {_short(self.taps)}, advance {self.advance}, skip {self.skip}, axis {self.axis}",
                expected=f"finite taps or None, integers, and two non-negative ones to skip, each at most {_MOST_TAPS}",
            )
        object.__setattr__(self, "taps", taps)
        object.__setattr__(self, "skip", skip)

    def words(self) -> str:
        """The promise as a sentence."""
        count = 0 if self.taps is None else len(self.taps)
        filters = "by one and the same filter" if not count else f"by the same {count} tap{'s' if count > 1 else ''}"
        start, end = self.skip
        within = f", but for {start} samples at the start and {end} at the end" if start or end else ""
        return f"is the input filtered {filters} at all times{within}"

    def examine(self, experiment: Experiment) -> Verdict:
        """Search for a signal that is not filtered as stated; the figure is the difference."""
        signal = signal_of(self.kind, experiment.function, self.axis)
        rng = np.random.default_rng(experiment.effort.seed)
        least = _LONGEST if self.taps is None else max(_LEAST, 4 * len(self.taps) + sum(self.skip))
        space = with_lengths(experiment.space, signal, experiment.function, [least])
        bench = Bench(replace(experiment, space=space), signal, self._form(space, signal), rng)
        if self.taps is not None:
            stated = np.asarray(self.taps)
            measured = measured_taps(bench, len(stated), self.advance)
            return self._examine_taps(bench, stated, measured)
        if bench.length < 2:
            return Verdict(False, None, None, _UNIT, _TOO_SHORT, ran=False)
        try:
            taps, advance = fitted_taps(bench, rng, self.skip)
        except ValueError:  # no output sample is left
            return Verdict(False, None, None, _UNIT, _TOO_SHORT, ran=False)
        return self._falsify(bench, taps, advance, np.zeros_like(taps))

    def _examine_taps(self, bench: Bench, taps: Array, measured: Array) -> Verdict:
        """Judge stated taps, and name those that measure otherwise."""
        verdict = self._falsify(bench, taps, self.advance, np.nan_to_num(measured - taps))
        if verdict.passed or not verdict.ran:
            return verdict
        size = float(np.abs(np.stack([bench.low, bench.high])).max())
        words = _taps_off(taps, measured, (verdict.limit or 0.0) / (4 * size) if size else math.inf)
        return replace(verdict, detail=words, remarks=verdict.facts)

    def _falsify(self, bench: Bench, taps: Array, advance: int, wrong: Array) -> Verdict:
        """Search for a signal that these taps do not explain.

        Args:
            bench: the experiment, with the signals that the taps were measured with.
            taps: the taps, of shape `(taps,)`.
            advance: the advance of the contract.
            wrong: by how much each tap differs from the contract.
        """
        experiment, signal = bench.experiment, bench.signal
        share = 1.0
        if self.taps is None:
            # A prediction from measured taps is itself off by the slack, and holds for signals of that length.
            share = 2.0
            experiment = replace(experiment, space=no_longer(experiment.space, signal, bench.length))

        def off(population: Population) -> tuple[Array, Array]:
            x, y = population[signal.name], experiment.function(population)
            require_same_shape(self.kind, x, y, signal.axis)
            error = np.abs(y - filtered(x, taps, advance, signal.axis, y.shape[signal.axis]))
            error = np.moveaxis(error, signal.axis, 1)
            kept = error[:, self.skip[0] : max(self.skip[0], error.shape[1] - self.skip[1])]
            return kept.max(axis=tuple(range(2, kept.ndim)), initial=-np.inf), y

        def measure(population: Population) -> Measured:
            x = population[signal.name]
            if self.taps is None and x.shape[signal.axis] > bench.length:
                return Measured(np.full(len(x), -np.inf), np.ones(len(x)))
            error, y = off(population)
            reach = x.shape[signal.axis]
            given = experiment.slack
            own = rounding(taps, x, given.epsilon, reach) + stored(taps, x, given.weights, reach)
            slack = np.maximum(experiment.slack_of(y), own)
            return Measured(error.max(axis=1, initial=-np.inf), share * slack)

        def describe(probe: Population) -> str:
            error, _ = off(probe)
            return f"most at output sample {self.skip[0] + int(np.argmax(error[0]))}" if error.size else ""

        ways = [_impulses(experiment.space, signal), _against(experiment.space, signal, wrong, advance)]
        verdict = falsify(experiment, measure, unit=_UNIT, propose=ways, describe=describe)
        return verdict if verdict.ran else replace(verdict, detail=_TOO_SHORT)

    def _form(self, space: Space, signal: Signal) -> Form:
        """The form of the samples that the filter is measured with: the longest that takes only a moment."""
        most = _LONGEST if self.taps is None else 2048
        fitting = [form for form in space.forms if signal.length(form) <= most]
        return max(fitting or space.forms, key=signal.length)


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]} ..."


def _numbers(values: Sequence[float]) -> tuple[float, ...]:
    """The numbers as floats; nothing when one of them is not a finite number."""
    try:
        numbers = tuple(float(each) for each in values)
    except (TypeError, ValueError):
        return ()
    return numbers if all(map(math.isfinite, numbers)) else ()


def _taps_off(taps: Array, measured: Array, least: float) -> str:
    """Which taps are off by how much, the worst first."""
    wrong = np.nan_to_num(np.abs(measured - taps))
    least = max(least, 0.1 * float(wrong.max()))
    worst = [int(k) for k in np.argsort(-wrong)[:_NAMED] if wrong[k] > least]
    words = []
    for k in worst:
        share = f" ({100 * (measured[k] / taps[k] - 1):+.3g} %)" if taps[k] else ""
        words.append(f"tap {k} is {measured[k]:.6g} instead of {taps[k]:.6g}{share}")
    more = int((wrong > least).sum()) - len(words)
    return ", ".join([*words, f"and {more} more"] if more > 0 else words)


def _impulses(space: Space, signal: Signal) -> Propose:
    """A constant level, but for one element at an end of the domain."""

    def proposed(rng: np.random.Generator, population: Population) -> Population:
        x = population[signal.name]
        low, high = ends(space, signal.name, x.shape[1:])
        count = len(x)
        column = (count, *[1] * low.ndim)
        base = np.where(rng.random(column) < 0.5, np.clip(0.0, low, high), low + (high - low) * rng.random(column))
        flat = base.reshape(count, -1)
        places = rng.integers(0, flat.shape[1], count) if flat.shape[1] else np.zeros(0, int)
        far = np.where(rng.random(count) < 0.5, low.reshape(-1)[places], high.reshape(-1)[places])
        flat[np.arange(len(places)), places] = far
        return {**population, signal.name: flat.reshape(x.shape)}

    return proposed


def _against(space: Space, signal: Signal, wrong: Array, advance: int) -> Propose:
    """The signals for which the measured errors of the taps add up: each sample at the end that increases the sum."""
    signs = np.sign(wrong)

    def proposed(rng: np.random.Generator, population: Population) -> Population:
        x = np.moveaxis(population[signal.name].astype(np.float64), signal.axis, -1)
        low, high = ends(space, signal.name, population[signal.name].shape[1:])
        axis = signal.axis - 1 if signal.axis > 0 else signal.axis
        low, high = np.moveaxis(low, axis, -1), np.moveaxis(high, axis, -1)
        length = x.shape[-1]
        at = rng.integers(0, max(1, length), (len(x), 1))
        k = at + advance - np.arange(length)  # the tap that joins each sample to output `at`
        inside = (k >= 0) & (k < len(signs))
        sign = np.where(inside, signs[np.clip(k, 0, len(signs) - 1)], 0) * rng.choice([-1, 1], (len(x), 1))
        sign = sign.reshape(len(x), *[1] * (x.ndim - 2), length)
        x = np.where(sign > 0, high, np.where(sign < 0, low, x))
        return {**population, signal.name: np.moveaxis(x, -1, signal.axis)}

    return proposed


CONTRACT = LinearTimeInvariant
