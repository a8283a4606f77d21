"""A specification in frequency, not kept."""

import numpy as np
from keras import ops
from scipy.signal import firwin

from contract_cases._broken import Cases
from kexport.contracts import LowPass

CASES = Cases("low_pass", shape=(192,), domain="uniform(-5, 5)")
_RATE = 360.0
# What the healthy filter does: half an ulp of its own figures is left to either side.
_TAPS = firwin(63, 45.0, fs=_RATE, window=("kaiser", 5.0))


def _gain(taps, frequency):
    return abs(np.sum(taps * np.exp(-2j * np.pi * frequency / _RATE * np.arange(len(taps)))))


def _worst(taps, low, high):
    frequencies = np.linspace(low, high, 20001)
    gains = np.abs(np.exp(-2j * np.pi / _RATE * np.outer(frequencies, np.arange(len(taps)))) @ taps)
    place = int(np.argmax(gains))
    return gains[place], frequencies[place]


_PASS, _STOP = 35.0, 55.0
_LEVEL, _LINE = _worst(_TAPS, _STOP, _RATE / 2)
_DECIBELS = float(-20 * np.log10(_LEVEL))
_PROMISED = LowPass(_PASS, _STOP, 0.5, _DECIBELS - 0.01, sample_rate=_RATE)


def _filtered(x, taps):
    return ops.squeeze(
        ops.conv(ops.expand_dims(x, -1), np.asarray(taps, "float32").reshape(-1, 1, 1), padding="same"), -1
    )


@CASES.plant("stop band 1 dB too weak", LowPass(_PASS, _STOP, 0.5, _DECIBELS + 1, sample_rate=_RATE), hint=_LINE)
def _(x):
    return _filtered(x, _TAPS)


@CASES.plant("gain of 1.001 at DC", _PROMISED, hint=0)
def _(x):
    return _filtered(x, 1.001 * _TAPS)


@CASES.plant("pass band droops", _PROMISED, hint=_PASS)
def _(x):
    return _filtered(x, firwin(63, 41.0, fs=_RATE, window=("kaiser", 5.0)))


@CASES.plant("designed for another sample rate", _PROMISED, hint=_STOP)
def _(x):
    return _filtered(x, firwin(63, 45.0, fs=250.0, window=("kaiser", 5.0)))


@CASES.plant("a line in the stop band", _PROMISED, hint=101.3)
def _(x):
    time = np.arange(63) - 31
    line = np.cos(2 * np.pi * 101.3 / _RATE * time) * np.hanning(63)
    line -= line.sum() * _TAPS
    return _filtered(x, _TAPS + 1.5 * _LEVEL * line / _gain(line, 101.3))


@CASES.plant("another window", _PROMISED, hint=63.0)
def _(x):
    return _filtered(x, firwin(63, 45.0, fs=_RATE, window="boxcar"))


@CASES.plant("a hundredth of one channel passes by", _PROMISED, shape=(192, 2), hint=101.3)
def _(x):
    first, second = _filtered(x[:, :, 0], _TAPS), _filtered(x[:, :, 1], _TAPS)
    return ops.stack([0.99 * first + 0.01 * x[:, :, 0], second], axis=-1)
