"""The output is the input filtered: one convolution with taps that are the same at all times."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from kexport.bundle.signature import Array
from kexport.contracts.falsification.hunt import Measured, Propose, hunt
from kexport.contracts.filters.bench import Bench, fitted_taps, measured_taps, rounding
from kexport.contracts.filters.signals import (
    Signal,
    ends,
    filtered,
    no_longer,
    require_same_shape,
    signal_of,
    with_lengths,
)
from kexport.contracts.protocol import EFFORT, Effort, Function, Slack, Verdict
from kexport.errors import UsageError
from kexport.parity.space import Form, Population, Space

_LEAST, _LONGEST = 16, 128  # samples of a signal that is made longer, or looked at without taps
_TOO_SHORT = "the outputs are too short: nothing can be told"
_NAMED = 3  # taps that are told of


@dataclass(frozen=True)
class LinearTimeInvariant:
    """`y[n] = sum over k of taps[k] x[n + advance - k]`, `x` being 0 outside of the signal.

    Attributes:
        taps: the impulse response; None when it is not stated, only that there is one.
        advance: how many samples of the future an output sees. An output shorter than the input starts with the
            first sample that sees nothing outside for `len(taps) - 1`.
        skip: samples at the two ends of the output of which nothing is said.
        axis: along which time runs, of input and output; every channel is filtered alone.

    Raises:
        UsageError: a tap is no finite number, there is none, or the rest are no whole numbers.
    """

    taps: tuple[float, ...] | None = None
    advance: int = 0
    skip: tuple[int, int] = (0, 0)
    axis: int = 1

    kind: ClassVar[str] = "linear_time_invariant"

    def __post_init__(self) -> None:
        taps = None if self.taps is None else _numbers(self.taps)
        skip = tuple(self.skip) if isinstance(self.skip, tuple | list) else ()
        whole = all(isinstance(each, int) for each in (self.advance, self.axis, *skip))
        if taps == () or not whole or len(skip) != 2 or min(skip) < 0:
            raise UsageError(
                "contract 'linear_time_invariant' describes no filter",
                got=f"taps {self.taps}, advance {self.advance}, skip {self.skip}, axis {self.axis}",
                expected="finite taps or None, and whole numbers, two of them to skip, 0 or more",
            )
        object.__setattr__(self, "taps", taps)
        object.__setattr__(self, "skip", skip)

    def words(self) -> str:
        """The promise as a sentence."""
        count = 0 if self.taps is None else len(self.taps)
        filters = "by one filter, the same" if not count else f"by the same {count} tap{'s' if count > 1 else ''}"
        start, end = self.skip
        within = f", but for {start} samples at the start and {end} at the end" if start or end else ""
        return f"is the input filtered {filters} at all times{within}"

    def check(self, function: Function, domain: Space, tolerance: Slack, effort: Effort = EFFORT) -> Verdict:
        """Hunt for a signal that comes out other than filtered; the figure is how far."""
        signal = signal_of(self.kind, function, self.axis)
        rng = np.random.default_rng(effort.seed)
        least = _LONGEST if self.taps is None else max(_LEAST, 4 * len(self.taps) + sum(self.skip))
        space = with_lengths(domain, signal, function, [least])
        bench = Bench(function, space, signal, self._form(space, signal), rng)
        if self.taps is not None:
            taps, advance, share = np.asarray(self.taps), self.advance, 1.0
            found = measured_taps(bench, len(taps), advance)
        else:
            if bench.length < 2:
                return Verdict(False, None, None, _UNIT, _TOO_SHORT, ran=False)
            try:
                taps, advance = fitted_taps(bench, rng, self.skip)
            except ValueError:  # not one output sample is left
                return Verdict(False, None, None, _UNIT, _TOO_SHORT, ran=False)
            # What is predicted from measured taps is itself off by what float arithmetic may add.
            found, share = taps, 2.0
            space = no_longer(space, signal, bench.length)

        def off(population: Population) -> tuple[Array, Array]:
            x, y = population[signal.name], function(population)
            require_same_shape(self.kind, x, y, signal.axis)
            error = np.abs(y - filtered(x, taps, advance, signal.axis, y.shape[signal.axis]))
            error = np.moveaxis(error, signal.axis, 1)
            kept = error[:, self.skip[0] : max(self.skip[0], error.shape[1] - self.skip[1])]
            return kept.max(axis=tuple(range(2, kept.ndim)), initial=-np.inf), y

        def measure(population: Population) -> Measured:
            if self.taps is None and population[signal.name].shape[signal.axis] > bench.length:
                return _nothing(len(population[signal.name]))
            error, y = off(population)
            slack = np.maximum(
                tolerance.of(function.outputs[0], y), rounding(taps, population[signal.name], tolerance.epsilon)
            )
            return Measured(error.max(axis=1, initial=-np.inf), share * slack)

        def describe(probe: Population) -> str:
            error, _ = off(probe)
            return f"most at output sample {self.skip[0] + int(np.argmax(error[0]))}" if error.size else ""

        wrong = np.nan_to_num(found - taps)
        ways = [_impulses(space, signal), _against(space, signal, wrong, advance)]
        verdict = hunt(measure, space, tolerance.epsilon, effort, unit=_UNIT, propose=ways, describe=describe)
        if not verdict.ran:
            return replace(verdict, detail=_TOO_SHORT)
        if verdict.passed or self.taps is None:
            return verdict
        size = float(np.abs(np.stack([bench.low, bench.high])).max())
        words = _taps_off(taps, found, (verdict.limit or 0.0) / (4 * size) if size else math.inf)
        return replace(verdict, detail="; ".join(filter(None, (words, verdict.detail))))

    def _form(self, space: Space, signal: Signal) -> Form:
        """Of the samples that the filter is measured with: the longest, within what takes a moment."""
        most = _LONGEST if self.taps is None else 2048
        fitting = [form for form in space.forms if signal.length(form) <= most]
        return max(fitting or space.forms, key=signal.length)


_UNIT = "from the filtered input"


def _numbers(values: Any) -> tuple[float, ...]:
    """The numbers, or nothing when one of them is none."""
    try:
        found = tuple(float(each) for each in values)
    except (TypeError, ValueError):
        return ()
    return found if all(map(math.isfinite, found)) else ()


def _nothing(count: int) -> Measured:
    return Measured(np.full(count, -np.inf), np.ones(count))


def _taps_off(taps: Array, found: Array, least: float) -> str:
    """Which taps are off by how much, the worst first."""
    wrong = np.nan_to_num(np.abs(found - taps))
    least = max(least, 0.1 * float(wrong.max()))
    worst = [int(k) for k in np.argsort(-wrong)[:_NAMED] if wrong[k] > least]
    words = []
    for k in worst:
        share = f" ({100 * (found[k] / taps[k] - 1):+.3g} %)" if taps[k] else ""
        words.append(f"tap {k} is {found[k]:.6g} instead of {taps[k]:.6g}{share}")
    more = int((wrong > least).sum()) - len(words)
    return ", ".join([*words, f"and {more} more"] if more > 0 else words)


def _impulses(space: Space, signal: Signal) -> Propose:
    """A level throughout, but for one element at an end of the domain."""

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


def _against(space: Space, signal: Signal, wrong: Sequence[float] | Array, advance: int) -> Propose:
    """The signals on which the taps, as measured, are off most: each sample at the end where its tap adds to that."""
    signs = np.sign(np.asarray(wrong))

    def proposed(rng: np.random.Generator, population: Population) -> Population:
        x = np.moveaxis(population[signal.name].astype(np.float64), signal.axis, -1)
        low, high = ends(space, signal.name, population[signal.name].shape[1:])
        axis = signal.axis - 1 if signal.axis > 0 else signal.axis
        low, high = np.moveaxis(low, axis, -1), np.moveaxis(high, axis, -1)
        time = np.arange(x.shape[-1])
        for row in range(len(x)):
            at = int(rng.integers(0, max(1, x.shape[-1])))
            k = at + advance - time  # the tap that joins each sample to output `at`
            inside = (k >= 0) & (k < len(signs))
            sign = np.where(inside, signs[np.clip(k, 0, len(signs) - 1)], 0) * rng.choice([-1, 1])
            x[row] = np.where(sign > 0, high, np.where(sign < 0, low, x[row]))
        return {**population, signal.name: np.moveaxis(x, -1, signal.axis)}

    return proposed


CONTRACT = LinearTimeInvariant
