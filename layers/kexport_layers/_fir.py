"""Taps of low-pass filters with a finite impulse response (FIR), and the bands that their response keeps.

Frequencies without a unit are in cycles per sample: 0.5 is the Nyquist frequency.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kexport_layers._types import Array

RIPPLE = 1.0  # dB; the loss that defines the pass band of a filter without a specification
LEAST_ATTENUATION, MOST_ATTENUATION = (
    10.0,
    120.0,
)  # dB; limits of Kaiser's formula and of float32
MOST_TAPS = 4095
_POINTS = 128  # of the response, per tap: the highest of them then lies within 0.001 dB of the peak
_MARGIN = 0.001  # dB
_HALF = 0.5  # a gain: below it, the pass band and its ripple are over
_LONGER = 1.25  # times the length by Kaiser's formula, at most
_STRONGER = (0.0, 0.25, 0.5, 1.0, 2.0, 3.0)  # dB of extra attenuation to design the window for


@dataclass(frozen=True)
class Bands:
    """The bands of a low-pass filter: frequencies in the unit of the sample rate, the rest in dB."""

    pass_band: float
    stop_band: float
    ripple: float
    attenuation: float


def moving_average(size: int) -> tuple[float, ...]:
    """Taps of the mean of `size` samples."""
    return (1.0 / size,) * size


def windowed_sinc(size: int, cutoff: float, sample_rate: float, window: str) -> tuple[float, ...]:
    """Taps of the ideal filter cut to `size` by a window, by SciPy's `firwin`."""
    from scipy.signal import firwin  # takes a second to import, which the moving average does not need

    return tuple(float(tap) for tap in firwin(size, cutoff, fs=sample_rate, window=window))


def by_specification(bands: Bands, sample_rate: float, size: int | None) -> tuple[float, ...]:
    """The taps of the shortest filter with a Kaiser window that keeps the bands; or one of exactly `size` taps.

    Kaiser's formula for their number is an estimate (Oppenheim and Schafer, Discrete-Time Signal Processing, 3rd
    edition, section 7.5.3), so each design is measured, and the filter made longer and its window stronger until the
    bands hold.

    Raises:
        ValueError: no filter of that length keeps the bands.
    """
    from scipy.signal import firwin, kaiser_beta, kaiserord

    estimate = kaiserord(bands.attenuation, (bands.stop_band - bands.pass_band) / (sample_rate / 2))[0] | 1
    longest = min(MOST_TAPS, int(_LONGER * estimate) + 8)
    cutoff = (bands.pass_band + bands.stop_band) / 2
    for count in (size,) if size else range(max(3, estimate - 4), longest + 1, 2):
        for stronger in _STRONGER:
            window = ("kaiser", kaiser_beta(bands.attenuation + stronger))
            taps = firwin(count, cutoff, fs=sample_rate, window=window)
            if meets(taps, bands, sample_rate):
                return tuple(float(tap) for tap in taps)
    raise ValueError(
        f"no Kaiser window of {size or f'up to {longest}'} taps passes up to {bands.pass_band:g} Hz and stops from "
        f"{bands.stop_band:g} Hz by {bands.attenuation:g} dB; widen the transition, or give it more taps "
        f"(about {estimate} are needed, {MOST_TAPS} at most)"
    )


def specified(pass_band: float, stop_band: float, attenuation: float) -> Bands:
    """The bands of a specification; a window's error is as large in the pass band as in the stop band."""
    return Bands(pass_band, stop_band, -20 * math.log10(1 - 10 ** (-attenuation / 20)), attenuation)


def meets(taps: Sequence[float] | Array, bands: Bands, sample_rate: float) -> bool:
    """Whether a filter keeps the bands."""
    frequencies, gains = response(taps)
    low, high = bands.pass_band / sample_rate, bands.stop_band / sample_rate
    edges = _gains_at(np.asarray(taps, float), [low, high])
    passed = np.append(gains[frequencies <= low], edges[0])
    stopped = np.append(gains[frequencies >= high], edges[1])
    worst = 20 * np.log10(max(float(stopped.max()), 1e-15))
    ripple = np.abs(20 * np.log10(np.maximum(passed, 1e-15))).max()
    return bool(worst <= -bands.attenuation - _MARGIN and ripple <= bands.ripple)


def measured(taps: Sequence[float] | Array, sample_rate: float) -> Bands | None:
    """The bands that a filter without a specification keeps, rounded conservatively; None if it stops nothing.

    The pass band ends where the gain falls by `RIPPLE`. The stop band begins where the main lobe has fallen to the
    highest of the side lobes, whose level is the attenuation.
    """
    frequencies, gains = response(taps)
    fallen = np.flatnonzero(gains < _HALF)
    if not fallen.size:
        return None
    rising = np.flatnonzero(np.diff(gains[fallen[0] :]) > 0)
    if not rising.size:
        return None
    null = int(fallen[0] + rising[0])
    attenuation = math.floor(100 * (-20 * math.log10(gains[null:].max()) - _MARGIN)) / 100
    level = 10 ** (-attenuation / 20)
    stop = _rounded(float(frequencies[np.flatnonzero(gains[: null + 1] > level)[-1] + 1] * sample_rate), up=True)
    below = np.flatnonzero(gains < 10 ** (-RIPPLE / 20))[0] - 1
    passing = _rounded(float(frequencies[below] * sample_rate), up=False)
    if attenuation <= RIPPLE or not 0 < passing < stop <= sample_rate / 2:
        return None
    return Bands(passing, stop, RIPPLE, attenuation)


def response(taps: Sequence[float] | Array) -> tuple[Array, Array]:
    """Frequencies from 0 to 0.5, and the gain at each."""
    values = np.asarray(taps, np.float64)
    points = 1 << max(12, int(_POINTS * len(values) - 1).bit_length())
    return np.arange(points // 2 + 1) / points, np.abs(np.fft.rfft(values, points))


def _gains_at(taps: Array, frequencies: list[float]) -> Array:
    return np.asarray(np.abs(np.exp(-2j * np.pi * np.outer(frequencies, np.arange(len(taps)))) @ taps))


def _rounded(value: float, *, up: bool) -> float:
    """Rounded to four significant digits, up or down."""
    if not value:
        return 0.0
    digits = 3 - math.floor(math.log10(value))
    scaled = value * 10.0**digits
    return float(f"{(math.ceil(scaled) if up else math.floor(scaled)) * 10.0**-digits:.4g}")
