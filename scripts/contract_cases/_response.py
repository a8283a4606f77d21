"""The frequency response of a filter, measured through every artifact, against SciPy's `freqz` of its taps."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np

import kexport
from contract_cases import _current
from contract_cases._configuration import FORMATS, Configuration
from contract_cases._found import sessions

LIMIT = 0.01  # dB
ABOVE = -80.0  # dB
_RATE = 360.0
_FREQUENCIES = 1024
_LENGTH, _EDGE = 256, 32  # samples; at either end those of the filter's transients
Array = np.ndarray


def _filter() -> Any:
    from kexport_layers import LowPassFilter

    return LowPassFilter(31, cutoff=40.0, sample_rate=_RATE)


def _configuration(channels: tuple[int, ...]) -> Configuration:
    shapes = {"x": (None, *channels)}
    return Configuration(("low_pass_filter",), "response", lambda x: _filter()(x), shapes, "uniform(-1, 1)")


_CASES = {"31 taps, 40 Hz of 360": (), "31 taps, 40 Hz of 360, two channels": (2,)}


def names() -> list[str]:
    """The filters."""
    return list(_CASES)


def work(name: str, folder: Path) -> dict[str, Any]:
    """Build the filter, and measure it in every runtime with an impulse and with sines."""
    from scipy.signal import freqz

    channels = _CASES[name]
    _current.configuration = _configuration(channels)
    shutil.rmtree(folder / "bundle", ignore_errors=True)
    bundle = kexport.build("contract_cases._current:model", folder / "bundle", formats=FORMATS,
                           domain={"x": "uniform(-1, 1)"})  # fmt: skip
    assert bundle.passed, [check for check in bundle.report.checks if not check.passed]
    frequencies, truth = freqz(_filter().taps, worN=_FREQUENCIES, fs=_RATE)
    decibels = 20 * np.log10(np.abs(truth))
    judged = decibels > ABOVE
    found: dict[str, Any] = {}
    for runtime, session, _ in sessions(bundle):

        def run(signals: Array, session: Any = session) -> Array:
            shaped = signals.reshape(*signals.shape, *[1] * len(channels)) * np.ones(channels)
            (values,) = session({"x": shaped.astype(np.float32)}).values()
            return values.reshape(*signals.shape, -1)[:, :, -1].astype(np.float64)

        measured = {"impulse": _by_impulse(run, frequencies), "sines": _by_sines(run, frequencies)}
        apart = {way: np.abs(20 * np.log10(np.abs(each)) - decibels)[judged] for way, each in measured.items()}
        found[runtime.name] = {way: float(values.max()) for way, values in apart.items()}
    return {"frequencies": int(judged.sum()), "lowest": float(decibels[judged].min()), "runtimes": found}


def _by_impulse(run: Any, frequencies: Array) -> Array:
    signal = np.zeros((1, _LENGTH))
    signal[0, _LENGTH // 2] = 1.0
    times = np.arange(_LENGTH) - _LENGTH // 2
    return np.asarray(np.exp(-2j * np.pi / _RATE * np.outer(frequencies, times)) @ run(signal)[0])


def _by_sines(run: Any, frequencies: Array) -> Array:
    """The share of each wave in what comes out, apart from the transients; the waves are as float32 has them."""
    angles = 2 * np.pi / _RATE * np.outer(frequencies, np.arange(_LENGTH))
    waves = np.cos(angles).astype(np.float32) + 1j * np.sin(angles).astype(np.float32)
    out = run(waves.real) + 1j * run(waves.imag)
    inner = slice(_EDGE, _LENGTH - _EDGE)
    window = np.blackman(_LENGTH - 2 * _EDGE)
    # The filter is symmetric: its response is real, and the same of a wave of the opposite frequency.
    share = (out[:, inner] * np.conj(waves[:, inner]) * window).sum(axis=1)
    return np.asarray(share / (np.abs(waves[:, inner]) ** 2 * window).sum(axis=1))
