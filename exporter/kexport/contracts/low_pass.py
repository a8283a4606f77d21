"""Frequencies below one edge pass, and frequencies above another are stopped."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from kexport.contracts.filters.bands import FilterBands, Finding, decibels, findings, worst_frequencies
from kexport.contracts.filters.bench import Bench
from kexport.contracts.filters.response import Response
from kexport.contracts.filters.signals import signal_of, with_lengths
from kexport.contracts.protocol import Experiment, Verdict, check_by_experiment
from kexport.errors import UsageError
from kexport.parity.conditioning import nudged
from kexport.parity.space import Form, Population, Space

_LENGTHS = (1024, 4096, 16384)  # of signals, the first that is long enough
_HELD = 8  # a signal is long enough for this many impulse responses
_LEAST_ROOM = 16  # samples beyond the transients
_SHOWN = 513  # frequencies of the curve
_SPREAD = 16  # random sines in either band
_SHARES = (1.0, 0.5, 0.1, 0.03, 0.01)  # of the amplitude that the domain allows
_ROUNDS = 4  # of random sines
_TURNS_A_ROUND = 2
_NUDGES = 4
_UNIT = "dB"
_NO_SIGNAL = "no signal is long enough to show the filter beyond its transients"
_NO_SINE = "no sine of the stop band fits into the domain and the length of the signals"


@dataclass(frozen=True)
class LowPass:
    """Sines up to `pass_band` keep their amplitude within `ripple`; from `stop_band` on they lose `attenuation`.

    A constant passes unchanged. Measured in the interior of a signal, beyond the transients at its ends.

    Attributes:
        pass_band: the upper edge of the pass band, in Hz.
        stop_band: the lower edge of the stop band, in Hz, at most half the sample rate.
        ripple: the largest change of a sine's amplitude in the pass band, in dB.
        attenuation: the smallest loss of a sine in the stop band, in dB.
        sample_rate: samples per second, in Hz.
        axis: the time axis of input and output; every channel is filtered alone.

    Raises:
        UsageError: a number is not finite and positive, or the edges are not in order.
    """

    pass_band: float
    stop_band: float
    ripple: float
    attenuation: float
    sample_rate: float = 1.0
    axis: int = 1

    kind: ClassVar[str] = "low_pass"
    check = check_by_experiment

    def __post_init__(self) -> None:
        numbers = (self.pass_band, self.stop_band, self.ripple, self.attenuation, self.sample_rate)
        valid = all(isinstance(each, int | float) and math.isfinite(each) and each > 0 for each in numbers)
        if not valid or not self.pass_band < self.stop_band <= self.sample_rate / 2 or not isinstance(self.axis, int):
            raise UsageError(
                "contract 'low_pass' needs a filter",
                got=f"pass band to {self.pass_band} Hz within {self.ripple} dB, stop band from {self.stop_band} Hz by "
                f"{self.attenuation} dB, at {self.sample_rate} Hz",
                expected="positive numbers, the pass band below the stop band, and the stop band edge "
                "at most half the sample rate",
            )

    def words(self) -> str:
        """The promise as a sentence."""
        return (
            f"passes up to {self.pass_band:g} Hz within {self.ripple:g} dB and attenuates from {self.stop_band:g} Hz "
            f"by {self.attenuation:g} dB, at {self.sample_rate:g} samples per second"
        )

    def examine(self, experiment: Experiment) -> Verdict:
        """Measure the response by impulses, and by sines at its worst frequencies; the figure is a gain in dB.

        The metrics: `frequencies_hz` and `response_db`, the response by impulses; `stop_band_db`, the largest gain of a
        sine in the stop band; `pass_band_db`, the largest distance from 0 dB in the pass band; `dc_gain`.
        """
        return _Measurement(self, experiment).verdict()


class _Measurement:
    def __init__(self, contract: LowPass, experiment: Experiment) -> None:
        self._contract, self._experiment = contract, experiment
        self._signal = signal_of(contract.kind, experiment.function, contract.axis)
        self._rng = np.random.default_rng(experiment.effort.seed)
        low, high = contract.pass_band / contract.sample_rate, contract.stop_band / contract.sample_rate
        self._bands = FilterBands(low, high, contract.ripple, contract.attenuation)
        self._findings: list[Finding] = []
        self._tried, self._length = experiment.function.evaluations, 0

    def verdict(self) -> Verdict:
        return replace(self._verdict(), tried=self._experiment.function.evaluations - self._tried)

    def _verdict(self) -> Verdict:
        turns, made = self._experiment.effort.turns, 0
        deadline = time.monotonic() + self._experiment.effort.seconds
        response = self._response()
        if response is None:
            if (probe := self._not_finite()) is not None:
                return Verdict(False, math.inf, None, _UNIT, "the output holds NaN or infinity", probe)
            return Verdict(False, None, None, _UNIT, _NO_SIGNAL, ran=False)
        broken = self._judge_earlier()
        rounds = self._rounds(response)
        while broken is None and (frequencies := next(rounds, None)) is not None:
            first = not self._findings
            phases = np.zeros(1) if first else self._rng.uniform(0, 2 * np.pi, len(frequencies))
            share = 1.0 if first else self._rng.choice(_SHARES, len(frequencies))
            broken = self._judge(response, response.sines(frequencies, phases, share), frequencies)
            made += 1
            if made > turns // _TURNS_A_ROUND if turns is not None else made > 1 and time.monotonic() > deadline:
                break
        if not any(finding.band == "stop" for finding in self._findings) and broken is None:
            return Verdict(False, None, None, _UNIT, _NO_SINE, ran=False)
        return self._summary(response, broken)

    def _response(self) -> Response | None:
        """The response, measured with signals that are long enough, if the model accepts any."""
        space = with_lengths(self._experiment.space, self._signal, self._experiment.function, _LENGTHS)
        lengths = sorted({self._signal.length(form) for form in space.forms})
        usable = [n for n in lengths if n >= min(_LENGTHS[0], lengths[-1])]
        best = None
        for length in usable:
            form = next(form for form in space.forms if self._signal.length(form) == length)
            response = self._measured(space, form)
            if response.room < _LEAST_ROOM or not response.died_out:
                continue
            best, self._length = response, length
            if length >= _HELD * max(response.taps.shape[1], 1.0 / self._bands.low):
                break
        return best

    def _measured(self, space: Space, form: Form) -> Response:
        return Response(Bench(replace(self._experiment, space=space), self._signal, form, self._rng))

    def _not_finite(self) -> Population | None:
        """A signal whose output is not finite, if there is one among a few random ones."""
        space, function = self._experiment.space, self._experiment.function
        for form in space.forms:
            drawn = space.random(self._rng, _LEAST_ROOM, form)
            bad = ~np.isfinite(function(drawn).reshape(_LEAST_ROOM, -1)).all(axis=1)
            if bad.any():
                return {name: values[bad][:1] for name, values in drawn.items()}
        return None

    def _rounds(self, response: Response) -> Iterator[list[float]]:
        """Frequencies to try: the worst ones first, then random ones."""
        low, high = self._bands.low, self._bands.high
        yield [0.0, *sorted(set(worst_frequencies(response, self._bands)))]
        for _ in range(_ROUNDS):
            drawn = [*self._rng.uniform(0, low, _SPREAD), *self._rng.uniform(high, 0.5, _SPREAD)]
            yield [0.0, 0.0, *drawn]

    def _judge_earlier(self) -> Population | None:
        """Judge earlier counterexamples; returns the first that still breaks the contract."""
        for probe in self._experiment.effort.first:
            form = {name: values.shape[1:] for name, values in probe.items()}
            response = self._measured(self._experiment.space, form)
            if response.room >= _LEAST_ROOM and (broken := self._judge(response, probe, None)) is not None:
                return broken
        return None

    def _judge(
        self, response: Response, population: Population, frequencies: Sequence[float] | None
    ) -> Population | None:
        """The sample that breaks the contract most, and still does when every input moves by an ulp."""
        ranked = sorted(self._compared(response, population, frequencies), key=lambda each: -each.worth)
        self._findings.extend(each for each in ranked if each.worth <= 1)
        for finding in ranked:
            if finding.worth <= 1:
                break
            row = finding.tone.row
            probe = {name: values[row : row + 1] for name, values in population.items()}
            repeated = [finding.tone.frequency] * _NUDGES
            again = self._compared(response, self._nudged(probe, finding.tone.frequency), repeated)
            if all(any(each.worth > 1 for each in again if each.tone.row == k) for k in range(_NUDGES)):
                self._findings.append(finding)
                return probe
        return None

    def _nudged(self, probe: Population, frequency: float) -> Population:
        domains, epsilon = self._experiment.space.domains, self._experiment.slack.epsilon
        moved = []
        for _ in range(_NUDGES):
            other = {name: nudged(values, self._rng, epsilon, domains[name]) for name, values in probe.items()}
            if frequency == 0:  # a constant stays constant
                signal = other[self._signal.name]
                other[self._signal.name] = np.full_like(signal, signal.flat[0])
            moved.append(other)
        return {name: np.concatenate([each[name] for each in moved]) for name in probe}

    def _compared(
        self, response: Response, population: Population, frequencies: Sequence[float] | None
    ) -> list[Finding]:
        tones = response.tones(population, frequencies)
        return [finding for tone in tones for finding in findings(self._bands, tone, response.slack)]

    def _summary(self, response: Response, broken: Population | None) -> Verdict:
        bands = {
            band: max(
                (f for f in self._findings if f.band == band), key=lambda f: (f.worth > 1, f.figure), default=None
            )
            for band in ("stop", "pass", "dc")
        }
        shown = max((f for f in bands.values() if f is not None), key=lambda f: (f.worth > 1) * f.worth)
        hertz = shown.tone.frequency * self._contract.sample_rate
        where = {
            "dc": "a constant",
            "pass": f"in the pass band, at {hertz:g} Hz",
            "stop": f"in the stop band, at {hertz:g} Hz",
        }
        figures = {f"{band}_band_db": f.figure for band, f in bands.items() if f is not None and band != "dc"}
        dc_gain = float(min(response.at(np.zeros(1))[:, 0], key=lambda gain: -abs(gain - 1)))
        metrics = {**self._curve(response), **figures, "dc_gain": dc_gain}
        taps = f"{len(response.offsets)} taps measured"
        verdict = Verdict(broken is None, shown.figure, shown.limit, _UNIT, where[shown.band], broken, metrics=metrics)
        tried = f"sines of {self._length} samples, as large as the domain allows to {min(_SHARES):g} of that"
        return replace(verdict, remarks=(taps, tried))

    def _curve(self, response: Response) -> dict[str, list[float]]:
        low, high = self._bands.low, self._bands.high
        stop = [f.tone.frequency for f in self._findings if f.band == "stop"]
        grid = np.unique([*np.linspace(0, 0.5, _SHOWN), low, high, *stop])
        hertz = _brief(grid * self._contract.sample_rate)
        gains = response.at(np.asarray(hertz) / self._contract.sample_rate)
        # Of several channels, the one with the largest gain in the stop band.
        worst = gains[int(np.argmax(gains[:, grid >= high].max(axis=1)))]
        return {"frequencies_hz": hertz, "response_db": _brief(map(decibels, worst))}


def _brief(values: Iterable[float]) -> list[float]:
    """The numbers to six digits: a curve is looked at, and each runtime's is in the report."""
    return [float(f"{value:.6g}") for value in values]


CONTRACT = LowPass
