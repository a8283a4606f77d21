"""The frequency response of a filter: densely from impulses, and at single frequencies from sines at full amplitude."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from kexport.bundle.domain import Samples
from kexport.bundle.signature import Array
from kexport.contracts.filters.bench import Bench, rounding
from kexport.parity.space import Population

_PLACES = 32  # of impulses, around the middle
_DIED_OUT = 0.02  # of the slack: a smaller response to an impulse counts as none
_MARGIN = 2  # samples beyond the transients
_PURE = 0.05  # of a sine's amplitude: the largest other content that a signal may have and still count as a sine
_LEAST_PERIODS = 0.5
_OVERSAMPLING = 8


@dataclass(frozen=True)
class Tone:
    """The response of a filter to one constant or sine.

    Attributes:
        frequency: its frequency in cycles per sample; 0 for a constant.
        gain: the ratio of the amplitudes; for a constant, 1 plus its error relative to the largest constant.
        error: by how much the gain may be off.
        amplitude: the amplitude of the input; for a constant its value.
        rest: the largest content of the output other than the sine, beyond that of the input.
        row: its row in the population.
    """

    frequency: float
    gain: float
    error: float
    amplitude: float
    rest: float
    row: int


class Response:
    """Measures one filter with signals of one length.

    Args:
        bench: the bench to measure on.

    Attributes:
        taps: the impulse response by channel, of shape `(channels, offsets)`.
        offsets: the distance of each tap from the impulse, in samples.
        died_out: whether the signals are long enough for the whole impulse response.
        interior: the outputs that see no end of the signal.
        slack: by how much one element of the output may be off.
    """

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self.low, self.high = float(bench.low.min()), float(bench.high.max())
        full = np.full((1, 1), max(abs(self.low), abs(self.high)))
        # At unit gain, where output and input have the same range.
        self.slack = float(bench.experiment.slack_of(full)[0])
        self._measure()
        losses = [float(rounding(taps, full, bench.experiment.slack.epsilon, bench.length)[0]) for taps in self.taps]
        self.slack = max(self.slack, *losses)

    def _measure(self) -> None:
        """Find the impulse response and its length."""
        length = self._bench.length
        middle = length // 2
        reach = max(1, min(_PLACES, length // 8) // 2)
        places = np.arange(middle - reach, min(length, middle + reach))
        responses, sizes = self._bench.impulses(places)
        before, after = int(places[0]), responses.shape[-1] - 1 - int(places[-1])
        if after < 0:
            self.taps, self.offsets = np.zeros((1, 0)), np.zeros(0, int)
            self.died_out, self.interior = False, slice(0, 0)
            return
        aligned = np.stack([responses[row, :, place - before : place + after + 1] for row, place in enumerate(places)])
        taps = np.nan_to_num(aligned).mean(axis=0)
        offsets = np.arange(-before, after + 1)
        sizable = np.abs(taps).max(axis=0) * np.nan_to_num(np.abs(sizes)).max()
        seen = np.flatnonzero(sizable > _DIED_OUT * self.slack)
        begin, end = (int(seen[0]), int(seen[-1]) + 1) if seen.size else (before, before + 1)
        self.taps, self.offsets = taps[:, begin:end], offsets[begin:end]
        self.died_out = begin > 0 and end < len(offsets)
        first, last = int(self.offsets[0]), int(self.offsets[-1])
        start, stop = max(0, last) + _MARGIN, min(responses.shape[-1], length + first) - _MARGIN
        self.interior = slice(start, max(start, stop))

    @property
    def room(self) -> int:
        """How many samples of the output see no end of the signal."""
        return self.interior.stop - self.interior.start if self.taps.shape[1] else 0

    def at(self, frequencies: Array) -> Array:
        """The gain at these frequencies, in cycles per sample, by channel: of shape `(channels, frequencies)`."""
        waves = np.exp(-2j * np.pi * np.outer(self.offsets, frequencies))
        return np.abs(self.taps @ waves) if self.offsets.size else np.zeros((len(self.taps), len(frequencies)))

    def sines(self, frequencies: Sequence[float], phases: Array, share: Array | float = 1.0) -> Population:
        """Sines around the middle of the domain; frequency 0 is a constant.

        Args:
            frequencies: the frequencies in cycles per sample.
            phases: the phases in radians.
            share: the amplitude, as a share of half the domain's width.
        """
        middle, reach = (self.low + self.high) / 2, (self.high - self.low) / 2
        time = np.arange(self._bench.length)
        angles = 2 * np.pi * np.outer(frequencies, time) + np.reshape(phases, (-1, 1))
        waves = middle + reach * np.reshape(share, (-1, 1)) * np.cos(angles)
        axis, rank = self._bench.signal.axis, self._bench.low.ndim + 1
        shape = [1] * rank
        shape[0], shape[axis] = waves.shape
        rows = np.broadcast_to(waves.reshape(shape), (len(waves), *self._bench.low.shape))
        return self._bench.population(rows, project=not self._recorded)

    @property
    def _recorded(self) -> bool:
        """Whether the domain is recorded data, whose limits for each element would clip a sine."""
        return isinstance(self._bench.experiment.space.domains[self._bench.signal.name], Samples)

    def tones(self, population: Population, frequencies: Sequence[float] | None = None) -> list[Tone]:
        """The response of each channel to each sample; samples that are neither constant nor sine are left out.

        Args:
            population: the samples.
            frequencies: the frequencies of the samples, in cycles per sample; estimated when None.
        """
        x, y = self._bench.responses(population)
        tones: list[Tone] = []
        for row in range(len(x)):
            frequency = _frequency_of(x[row, 0]) if frequencies is None else frequencies[row]
            if frequency == 0 and not np.ptp(x[row], axis=1).any():
                tones.extend(self._constants(x[row], y[row], row))
            elif min(frequency, 0.5) * self.room >= _LEAST_PERIODS:
                tones.extend(self._sines(x[row], y[row], frequency, row))
        return tones

    def _constants(self, x: Array, y: Array, row: int) -> Iterator[Tone]:
        full = max(abs(self.low), abs(self.high))
        off = y[:, self.interior] - x[:, :1]
        for level, errors in zip(x[:, 0], off, strict=True):
            worst = errors[np.argmax(np.where(np.isnan(errors), np.inf, np.abs(errors)))]
            yield Tone(0.0, 1.0 + float(worst) / full, self.slack / full, float(level), 0.0, row)

    def _sines(self, x: Array, y: Array, frequency: float, row: int) -> Iterator[Tone]:
        input_wave, _, others = _fit(x, frequency, np.arange(x.shape[1]))
        output_wave, weight, rest = _fit(
            y[:, self.interior], frequency, np.arange(self.interior.start, self.interior.stop)
        )
        for given, other, got, more in zip(np.abs(input_wave), others, np.abs(output_wave), rest, strict=True):
            if given > 0 and other < _PURE * given:  # a domain of few values contains no sine
                # Content of the input other than the sine may pass to the output.
                loss = self.slack * weight / given
                yield Tone(frequency, float(got / given), float(loss), float(given), float(more - other), row)


def _fit(signals: Array, frequency: float, time: Array) -> tuple[Array, float, Array]:
    """The sine of that frequency in each signal, by least squares beside a constant.

    Returns:
        Its complex amplitude; the most that a unit error in every sample may add to that; and the largest residual.
    """
    angle = 2 * np.pi * frequency * time
    waves = np.stack([np.cos(angle), np.sin(angle), np.ones(len(time))], axis=1)
    inverse = np.linalg.pinv(waves)
    weights = signals @ inverse.T
    left = np.abs(signals - weights @ waves.T).max(axis=1, initial=0.0)
    return weights[:, 0] - 1j * weights[:, 1], float(np.hypot(inverse[0], inverse[1]).sum()), left


def _frequency_of(signal: Array) -> float:
    """The frequency of the sine that a signal most probably is, in cycles per sample; 0 for a constant."""
    if not np.ptp(signal) or len(signal) < 4:
        return 0.0
    points = _OVERSAMPLING * len(signal)
    spectrum = np.abs(np.fft.rfft((signal - signal.mean()) * np.hanning(len(signal)), points))
    best = int(np.argmax(spectrum))
    time = np.arange(len(signal))

    def left(frequency: float) -> float:
        return float(_fit(signal[None], frequency, time)[2][0])

    step, frequency = 1.0 / points, best / points
    while step > 1e-9:  # descend in shrinking steps
        near = [min(0.5, max(0.0, frequency + k * step)) for k in (-2, -1, 0, 1, 2)]
        frequency = min(near, key=left)
        step /= 3
    return frequency
