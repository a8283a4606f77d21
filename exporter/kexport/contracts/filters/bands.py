"""The bands of a low-pass filter: at which frequencies to measure them, and how a measured tone compares."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from kexport.bundle.signature import Array
from kexport.contracts.filters.response import Response, Tone

_GRID = 4097
_PEAKS, _SPREAD, _NEAR_EDGE = 8, 16, 4
_UNCLEAR = 0.5  # of unit gain: a tone whose gain may be off by more decides nothing
_FAINT = 1e-15  # -300 dB


@dataclass(frozen=True)
class FilterBands:
    """The requirements on a low-pass filter.

    Attributes:
        low: the upper edge of the pass band, in cycles per sample.
        high: the lower edge of the stop band, in cycles per sample.
        ripple: the largest change of a tone's amplitude in the pass band, in dB.
        attenuation: the smallest loss of a tone in the stop band, in dB.
    """

    low: float
    high: float
    ripple: float
    attenuation: float


@dataclass(frozen=True)
class Finding:
    """One tone compared with the bands.

    Attributes:
        tone: as measured.
        band: `"dc"`, `"pass"` or `"stop"`.
        excess: by how much the gain lies beyond the band.
        slack: by how much the gain may be off.
        figure: the gain, in dB.
        limit: the limit of the figure, in dB.
    """

    tone: Tone
    band: str
    excess: float
    slack: float
    figure: float
    limit: float

    @property
    def worth(self) -> float:
        """Above 1 where the tone breaks the band."""
        return math.inf if math.isnan(self.excess) else self.excess / self.slack


def worst_frequencies(response: Response, bands: FilterBands) -> Iterator[float]:
    """Frequencies, in cycles per sample, where the filter's impulse response puts it at its worst; and a few others."""
    low, high = bands.low, bands.high
    grid = np.linspace(0, 0.5, _GRID)
    gains = response.at(grid)
    for channel in gains if len(gains) <= _PEAKS else gains[[int(np.argmax(gains[:, grid >= high].max(axis=1)))]]:
        yield from _peaks(grid, channel, high, 0.5)
        yield from _peaks(grid, np.abs(channel - 1), 0.0, low)
    yield from (low, high, 0.5)
    near = np.geomspace(1e-3, 0.1, _NEAR_EDGE)
    yield from low * (1 - near)
    yield from high + (0.5 - high) * near
    yield from np.linspace(low / _SPREAD, low, _SPREAD)
    yield from np.linspace(high, 0.5, _SPREAD)


def findings(bands: FilterBands, tone: Tone, slack: float) -> Iterator[Finding]:
    """How a tone compares with the bands; nothing for a frequency between them.

    Args:
        bands: the bands of the filter.
        tone: as measured.
        slack: the slack of one element of the output.
    """
    gain, error = tone.gain, tone.error
    if error > _UNCLEAR:
        return
    within = 1 + 1e-9  # the precision to which the frequency of an edge is recovered
    if tone.frequency == 0:
        yield Finding(tone, "dc", abs(gain - 1), error, abs(decibels(gain)), decibels(1 + error))
    elif tone.frequency <= bands.low * within:
        most = 10 ** (bands.ripple / 20)
        beyond = gain - most if gain > 1 else 1 / most - gain
        limit = decibels(most + error) if gain > 1 else -decibels(1 / most - error)
        yield Finding(tone, "pass", beyond, error, abs(decibels(gain)), limit)
    elif tone.frequency >= bands.high / within:
        most = 10 ** (-bands.attenuation / 20)
        yield Finding(tone, "stop", gain - most, error, decibels(gain), decibels(most + error))
        # Whatever else comes out was not in the input either.
        rest, loss = tone.rest / tone.amplitude, 2 * slack / tone.amplitude
        if rest - most > loss or math.isnan(rest):
            yield Finding(tone, "stop", rest - most, loss, decibels(rest), decibels(most + loss))


def decibels(gain: float) -> float:
    """A ratio of amplitudes in dB; infinity for NaN."""
    return 20 * math.log10(max(float(gain), _FAINT)) if not math.isnan(gain) else math.inf


def _peaks(grid: Array, values: Array, low: float, high: float) -> list[float]:
    """Where the values are largest between two frequencies."""
    inside = np.flatnonzero((grid >= low) & (grid <= high) & (grid > 0))
    if not inside.size:
        return []
    here = values[inside]
    before, after = np.r_[-np.inf, here[:-1]], np.r_[here[1:], -np.inf]
    tops = inside[(here >= before) & (here >= after)]
    return [float(grid[k]) for k in tops[np.argsort(-values[tops])][:_PEAKS]]
