"""The frequency response of a filter: densely from impulses, and at single frequencies from sines at full amplitude."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from kexport.bundle.domain import Samples
from kexport.bundle.signature import Array
from kexport.contracts.filters.bench import Bench, rounding
from kexport.contracts.protocol import Slack
from kexport.parity.space import Population, Space

_PLACES = 32  # of impulses, around the middle
_DIED_OUT = 0.02  # of the slack: what is less of an impulse's answer is none
_MARGIN = 2  # samples beyond the transients
_PURE = 0.05  # of a sine's amplitude: what else a signal may hold and still be one
_LEAST_PERIODS = 0.5
_OVERSAMPLING = 8


@dataclass(frozen=True)
class Tone:
    """What a filter makes of one constant or sine.

    Attributes:
        frequency: in cycles a sample; 0 for a constant.
        gain: ratio of the amplitudes; of a constant 1 and by how much it is off, relative to the largest one.
        error: by how much the gain may be off.
        amplitude: of the input; of a constant its value.
        rest: what else than the sine comes out, at most, beyond what went in.
        row: in the population.
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
        bench: to measure on.
        space: of the inputs.
        output: its name.
        tolerance: what float arithmetic may add to it.

    Attributes:
        taps: the impulse response by channel, of shape `(channels, offsets)`.
        offsets: from the impulse, in samples.
        died_out: whether the signals hold the impulse response to its ends.
        interior: of the outputs, those that see no end of the signal.
        slack: what one element of the output may be off.
    """

    def __init__(self, bench: Bench, space: Space, output: str, tolerance: Slack) -> None:
        self._bench, self._space = bench, space
        self.low, self.high = float(bench.low.min()), float(bench.high.max())
        full = np.full((1, 1), max(abs(self.low), abs(self.high)))
        self.slack = float(tolerance.of(output, full)[0])  # of unit gain: the output reaches what the input does
        self._measure()
        losses = [float(rounding(taps, full, tolerance.epsilon)[0]) for taps in self.taps]
        self.slack = max(self.slack, *losses)

    def _measure(self) -> None:
        """Find the impulse response, and how long it is."""
        length = self._bench.length
        middle = length // 2
        reach = max(1, min(_PLACES, length // 8) // 2)
        places = np.arange(middle - reach, min(length, middle + reach))
        answers, sizes = self._bench.impulses(places)
        before, after = int(places[0]), answers.shape[-1] - 1 - int(places[-1])
        if after < 0:
            self.taps, self.offsets, self.died_out, self.interior = (
                np.zeros((1, 0)),
                np.zeros(0, int),
                False,
                slice(0, 0),
            )
            return
        aligned = np.stack([answers[row, :, place - before : place + after + 1] for row, place in enumerate(places)])
        taps = np.nan_to_num(aligned).mean(axis=0)
        offsets = np.arange(-before, after + 1)
        sizable = np.abs(taps).max(axis=0) * np.nan_to_num(np.abs(sizes)).max()
        seen = np.flatnonzero(sizable > _DIED_OUT * self.slack)
        begin, end = (int(seen[0]), int(seen[-1]) + 1) if seen.size else (before, before + 1)
        self.taps, self.offsets = taps[:, begin:end], offsets[begin:end]
        self.died_out = begin > 0 and end < len(offsets)
        first, last = int(self.offsets[0]), int(self.offsets[-1])
        start, stop = max(0, last) + _MARGIN, min(answers.shape[-1], length + first) - _MARGIN
        self.interior = slice(start, max(start, stop))

    @property
    def room(self) -> int:
        """Samples of the output that see no end of the signal."""
        return self.interior.stop - self.interior.start if self.taps.shape[1] else 0

    def at(self, frequencies: Array) -> Array:
        """The gain at these frequencies, in cycles a sample, by channel: of shape `(channels, frequencies)`."""
        waves = np.exp(-2j * np.pi * np.outer(self.offsets, frequencies))
        return np.abs(self.taps @ waves) if self.offsets.size else np.zeros((len(self.taps), len(frequencies)))

    def sines(self, frequencies: Sequence[float], phases: Array, share: Array | float = 1.0) -> Population:
        """Sines around the middle of the domain; 0 is a constant, from one end to the other as the share goes."""
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
        """Recorded data limits every element by itself, which would cut a sine within its range."""
        return isinstance(self._space.domains[self._bench.signal.name], Samples)

    def tones(self, population: Population, frequencies: Sequence[float] | None = None) -> list[Tone]:
        """What comes out of each channel of each sample; a sample that is neither constant nor sine is left out."""
        x, y = self._bench.answers(population)
        found: list[Tone] = []
        for row in range(len(x)):
            frequency = _frequency_of(x[row, 0]) if frequencies is None else frequencies[row]
            if frequency == 0 and not np.ptp(x[row], axis=1).any():
                found.extend(self._constants(x[row], y[row], row))
            elif min(frequency, 0.5) * self.room >= _LEAST_PERIODS:
                found.extend(self._sines(x[row], y[row], frequency, row))
        return found

    def _constants(self, x: Array, y: Array, row: int) -> Iterator[Tone]:
        full = max(abs(self.low), abs(self.high))
        off = y[:, self.interior] - x[:, :1]
        for level, own in zip(x[:, 0], off, strict=True):
            worst = own[np.argmax(np.where(np.isnan(own), np.inf, np.abs(own)))]
            yield Tone(0.0, 1.0 + float(worst) / full, self.slack / full, float(level), 0.0, row)

    def _sines(self, x: Array, y: Array, frequency: float, row: int) -> Iterator[Tone]:
        went_in, _, others = _fit(x, frequency, np.arange(x.shape[1]))
        came_out, weight, rest = _fit(
            y[:, self.interior], frequency, np.arange(self.interior.start, self.interior.stop)
        )
        for given, other, got, more in zip(np.abs(went_in), others, np.abs(came_out), rest, strict=True):
            if given > 0 and other < _PURE * given:  # a domain of few values holds no sine
                # What was no sine in the input may be none in the output.
                loss = self.slack * weight / given
                yield Tone(frequency, float(got / given), float(loss), float(given), float(more - other), row)


def _fit(signals: Array, frequency: float, time: Array) -> tuple[Array, float, Array]:
    """The sine of that frequency in each signal, by least squares beside a constant.

    Returns:
        Its complex amplitude; what a unit in every sample may add to that at most; and what is left, at most.
    """
    angle = 2 * np.pi * frequency * time
    waves = np.stack([np.cos(angle), np.sin(angle), np.ones(len(time))], axis=1)
    inverse = np.linalg.pinv(waves)
    found = signals @ inverse.T
    left = np.abs(signals - found @ waves.T).max(axis=1, initial=0.0)
    return found[:, 0] - 1j * found[:, 1], float(np.hypot(inverse[0], inverse[1]).sum()), left


def _frequency_of(signal: Array) -> float:
    """Of the sine that a signal most probably is, in cycles a sample; 0 of a constant."""
    if not np.ptp(signal) or len(signal) < 4:
        return 0.0
    points = _OVERSAMPLING * len(signal)
    spectrum = np.abs(np.fft.rfft((signal - signal.mean()) * np.hanning(len(signal)), points))
    best = int(np.argmax(spectrum))
    time = np.arange(len(signal))

    def left(frequency: float) -> float:
        return float(_fit(signal[None], frequency, time)[2][0])

    step, frequency = 1.0 / points, best / points
    while step > 1e-9:  # downhill, in steps that shrink
        near = [min(0.5, max(0.0, frequency + k * step)) for k in (-2, -1, 0, 1, 2)]
        frequency = min(near, key=left)
        step /= 3
    return frequency
