"""What lies below one frequency passes, and what lies above another one is stopped."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from kexport.contracts.filters.bands import Finding, against, decibels, that_matter
from kexport.contracts.filters.bench import Bench
from kexport.contracts.filters.response import Response
from kexport.contracts.filters.signals import Signal, signal_of, with_lengths
from kexport.contracts.protocol import EFFORT, Effort, Function, Slack, Verdict
from kexport.errors import UsageError
from kexport.parity.conditioning import nudged
from kexport.parity.space import Population, Space

_LENGTHS = (1024, 4096, 16384)  # of signals, the first that holds the response eight times
_HELD = 8
_LEAST_ROOM = 16  # samples beyond the transients
_SHOWN = 513  # frequencies
_SPREAD = 16  # sines at random in either band
_ROUNDS = 4  # of sines at random
_NUDGES = 4
_UNIT = "dB"


@dataclass(frozen=True)
class LowPass:
    """Sines up to `pass_band` keep their amplitude within `ripple`; from `stop_band` on they lose `attenuation`.

    A constant comes out as it is. Measured in the interior of a signal, beyond the transients at its ends.

    Attributes:
        pass_band: the upper edge of the pass band, in Hz.
        stop_band: the lower edge of the stop band, in Hz, at most half the sample rate.
        ripple: by which a sine of the pass band may grow or shrink, in dB.
        attenuation: by which a sine of the stop band shrinks at least, in dB.
        sample_rate: samples a second, in Hz.
        axis: along which time runs, of input and output; every channel is filtered alone.

    Raises:
        UsageError: the numbers are not finite and above 0, or the edges not in order.
    """

    pass_band: float
    stop_band: float
    ripple: float
    attenuation: float
    sample_rate: float = 1.0
    axis: int = 1

    kind: ClassVar[str] = "low_pass"

    def __post_init__(self) -> None:
        numbers = (self.pass_band, self.stop_band, self.ripple, self.attenuation, self.sample_rate)
        sound = all(isinstance(each, int | float) and math.isfinite(each) and each > 0 for each in numbers)
        if not sound or not self.pass_band < self.stop_band <= self.sample_rate / 2 or not isinstance(self.axis, int):
            raise UsageError(
                "contract 'low_pass' describes no filter",
                got=f"pass band to {self.pass_band} Hz within {self.ripple} dB, stop band from {self.stop_band} Hz by "
                f"{self.attenuation} dB, at {self.sample_rate} Hz",
                expected="numbers above 0, the pass band below the stop band, and that at most at half the sample rate",
            )

    def words(self) -> str:
        """The promise as a sentence."""
        return (
            f"passes up to {self.pass_band:g} Hz within {self.ripple:g} dB and stops from {self.stop_band:g} Hz by "
            f"{self.attenuation:g} dB, at {self.sample_rate:g} samples a second"
        )

    def check(self, function: Function, domain: Space, tolerance: Slack, effort: Effort = EFFORT) -> Verdict:
        """Measure the response by impulses, and then by sines where it is worst; the figure is a gain in dB.

        Its metrics: `frequencies_hz` and `response_db`, the response as impulses show it; `stop_band_db`, the largest
        gain of a sine in the stop band; `pass_band_db`, the largest distance from 0 dB in the pass band; `dc_gain`.
        """
        return _Measurement(self, function, domain, tolerance, effort).verdict()


class _Measurement:
    def __init__(self, contract: LowPass, function: Function, domain: Space, tolerance: Slack, effort: Effort) -> None:
        self._contract, self._function, self._tolerance, self._effort = contract, function, tolerance, effort
        self._signal: Signal = signal_of(contract.kind, function, contract.axis)
        self._space = domain
        self._rng = np.random.default_rng(effort.seed)
        self._edges = contract.pass_band / contract.sample_rate, contract.stop_band / contract.sample_rate
        self._all: list[Finding] = []
        self._tried = function.evaluations

    def verdict(self) -> Verdict:
        deadline = time.monotonic() + self._effort.seconds
        response = self._response()
        if response is None:
            if (probe := self._not_finite()) is not None:
                return self._told(Verdict(False, math.inf, None, _UNIT, "NaN or infinity comes out", probe))
            detail = "no signal is so long that one sees the filter beyond its transients"
            return self._told(Verdict(False, None, None, _UNIT, detail, ran=False))
        broken = self._judge_earlier()
        rounds = self._rounds(response)
        while broken is None and (frequencies := next(rounds, None)) is not None:
            first = not self._all
            phases = np.zeros(1) if first else self._rng.uniform(0, 2 * np.pi, len(frequencies))
            share = 1.0 if first else self._rng.choice([1.0, 0.5, 0.1], len(frequencies))
            broken = self._judge(response, response.sines(frequencies, phases, share), frequencies)
            if not first and time.monotonic() > deadline:
                break
        if not any(finding.band == "stop" for finding in self._all) and broken is None:
            detail = "no sine of the stop band fits into the domain and the length of the signals"
            return self._told(Verdict(False, None, None, _UNIT, detail, ran=False))
        return self._told(self._summed_up(response, broken))

    def _told(self, verdict: Verdict) -> Verdict:
        return replace(verdict, tried=self._function.evaluations - self._tried)

    def _response(self) -> Response | None:
        """Measured with signals long enough, where the model takes such."""
        own = with_lengths(self._space, self._signal, self._function, _LENGTHS)
        lengths = sorted({self._signal.length(form) for form in own.forms})
        usable = [n for n in lengths if n >= min(_LENGTHS[0], lengths[-1])]
        found = None
        for length in usable:
            form = next(form for form in own.forms if self._signal.length(form) == length)
            response = self._measured(own, form)
            if response.room < _LEAST_ROOM or not response.died_out:
                continue
            found = response
            if length >= _HELD * max(response.taps.shape[1], 1.0 / self._edges[0]):
                break
        return found

    def _measured(self, space: Space, form: Any) -> Response:
        bench = Bench(self._function, space, self._signal, form, self._rng)
        return Response(bench, space, self._function.outputs[0], self._tolerance)

    def _not_finite(self) -> Population | None:
        """A signal whose output is not, if one of a few is such."""
        for form in self._space.forms:
            drawn = self._space.random(self._rng, _LEAST_ROOM, form)
            bad = ~np.isfinite(self._function(drawn).reshape(_LEAST_ROOM, -1)).all(axis=1)
            if bad.any():
                return {name: values[bad][:1] for name, values in drawn.items()}
        return None

    def _rounds(self, response: Response) -> Iterator[list[float]]:
        """Frequencies to try: those that matter, and then others at random."""
        low, high = self._edges
        yield [0.0, *sorted(set(that_matter(response, *self._edges)))]
        for _ in range(_ROUNDS):
            drawn = [*self._rng.uniform(0, low, _SPREAD), *self._rng.uniform(high, 0.5, _SPREAD)]
            yield [0.0, 0.0, *drawn]

    def _judge_earlier(self) -> Population | None:
        """What broke the promise before."""
        for probe in self._effort.first:
            form = {name: values.shape[1:] for name, values in probe.items()}
            response = self._measured(self._space, form)
            if response.room >= _LEAST_ROOM and (broken := self._judge(response, probe, None)) is not None:
                return broken
        return None

    def _judge(self, response: Response, population: Population, known: Sequence[float] | None) -> Population | None:
        """The sample that breaks the promise most, and still does when every input moves by an ulp."""
        found = sorted(self._findings(response, population, known), key=lambda each: -each.worth)
        self._all.extend(each for each in found if each.worth <= 1)
        for finding in found:
            if finding.worth <= 1:
                break
            row = finding.tone.row
            probe = {name: values[row : row + 1] for name, values in population.items()}
            frequencies = [finding.tone.frequency] * _NUDGES
            again = self._findings(response, self._nudged(probe, finding.tone.frequency), frequencies)
            if all(any(each.worth > 1 for each in again if each.tone.row == k) for k in range(_NUDGES)):
                self._all.append(finding)
                return probe
        return None

    def _nudged(self, probe: Population, frequency: float) -> Population:
        domains, epsilon = self._space.domains, self._tolerance.epsilon
        constant = frequency == 0  # which stays one
        moved = []
        for _ in range(_NUDGES):
            other = {name: nudged(values, self._rng, epsilon, domains[name]) for name, values in probe.items()}
            if constant:
                own = other[self._signal.name]
                other[self._signal.name] = np.full_like(own, own.flat[0])
            moved.append(other)
        return {name: np.concatenate([each[name] for each in moved]) for name in probe}

    def _findings(self, response: Response, population: Population, known: Sequence[float] | None) -> list[Finding]:
        tones = response.tones(population, known)
        return [found for tone in tones for found in against(self._contract, tone, response.slack)]

    def _summed_up(self, response: Response, broken: Population | None) -> Verdict:
        bands = {
            band: max((f for f in self._all if f.band == band), key=lambda f: (f.worth > 1, f.figure), default=None)
            for band in ("stop", "pass", "dc")
        }
        shown = max((f for f in bands.values() if f is not None), key=lambda f: (f.worth > 1) * f.worth)
        hertz = shown.tone.frequency * self._contract.sample_rate
        where = {
            "dc": "a constant",
            "pass": f"in the pass band, at {hertz:g} Hz",
            "stop": f"in the stop band, at {hertz:g} Hz",
        }
        metrics = {
            **self._curve(response),
            **{f"{band}_band_db": found.figure for band, found in bands.items() if found is not None and band != "dc"},
            "dc_gain": float(min(response.at(np.zeros(1))[:, 0], key=lambda gain: -abs(gain - 1))),
        }
        detail = f"{where[shown.band]}; {len(response.offsets)} taps seen"
        return Verdict(broken is None, shown.figure, shown.limit, _UNIT, detail, broken, metrics=metrics)

    def _curve(self, response: Response) -> dict[str, list[float]]:
        stop = [f.tone.frequency for f in self._all if f.band == "stop"]
        grid = np.unique([*np.linspace(0, 0.5, _SHOWN), *self._edges, *stop])
        gains = response.at(grid)
        # Of several channels, the one that lets most through in the stop band.
        worst = gains[int(np.argmax(gains[:, grid >= self._edges[1]].max(axis=1)))]
        return {
            "frequencies_hz": (grid * self._contract.sample_rate).tolist(),
            "response_db": [decibels(gain) for gain in worst],
        }


CONTRACT = LowPass
