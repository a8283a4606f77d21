"""The bands of a low-pass filter: where to look at them, and what a tone says of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kexport.bundle.signature import Array
from kexport.contracts.filters.response import Response, Tone

if TYPE_CHECKING:
    from kexport.contracts.low_pass import LowPass

_GRID = 4097
_PEAKS, _SPREAD, _NEAR_EDGE = 8, 16, 4
_TELLING = 0.5  # of unit gain: where float arithmetic may add more, a sine tells nothing
_FAINT = 1e-15  # -300 dB


@dataclass(frozen=True)
class Finding:
    """One tone against the promise; figure and limit in dB."""

    tone: Tone
    band: str
    excess: float
    slack: float
    figure: float
    limit: float

    @property
    def worth(self) -> float:
        """Above 1 where the promise is broken."""
        return math.inf if math.isnan(self.excess) else self.excess / self.slack


def that_matter(response: Response, low: float, high: float) -> Iterator[float]:
    """Frequencies, in cycles a sample, at which a filter with these edges is worst, as impulses show it; and others."""
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


def against(promise: LowPass, tone: Tone, slack: float) -> Iterator[Finding]:
    """What a tone says of the promise; nothing between the bands."""
    low, high = promise.pass_band / promise.sample_rate, promise.stop_band / promise.sample_rate
    gain, error = tone.gain, tone.error
    if error > _TELLING:
        return
    within = 1 + 1e-9  # an edge is found again with that precision
    if tone.frequency == 0:
        yield Finding(tone, "dc", abs(gain - 1), error, abs(decibels(gain)), decibels(1 + error))
    elif tone.frequency <= low * within:
        most = 10 ** (promise.ripple / 20)
        beyond = gain - most if gain > 1 else 1 / most - gain
        limit = decibels(most + error) if gain > 1 else -decibels(1 / most - error)
        yield Finding(tone, "pass", beyond, error, abs(decibels(gain)), limit)
    elif tone.frequency >= high / within:
        most = 10 ** (-promise.attenuation / 20)
        yield Finding(tone, "stop", gain - most, error, decibels(gain), decibels(most + error))
        # Of what else comes out, nothing went in.
        rest, loss = tone.rest / tone.amplitude, 2 * slack / tone.amplitude
        if rest - most > loss or math.isnan(rest):
            yield Finding(tone, "stop", rest - most, loss, decibels(rest), decibels(most + loss))


def decibels(gain: float) -> float:
    """Of an amplitude; infinity for NaN."""
    return 20 * math.log10(max(float(gain), _FAINT)) if not math.isnan(gain) else math.inf


def _peaks(grid: Array, values: Array, low: float, high: float) -> list[float]:
    """Where the values are largest between two frequencies."""
    inside = np.flatnonzero((grid >= low) & (grid <= high) & (grid > 0))
    if not inside.size:
        return []
    own = values[inside]
    before, after = np.r_[-np.inf, own[:-1]], np.r_[own[1:], -np.inf]
    tops = inside[(own >= before) & (own >= after)]
    return [float(grid[k]) for k in tops[np.argsort(-values[tops])][:_PEAKS]]
