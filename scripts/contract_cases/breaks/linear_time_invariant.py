"""A filter of stated taps, not kept."""

import numpy as np
from keras import ops

from contract_cases._broken import Cases
from kexport.contracts import LinearTimeInvariant
from kexport_layers.low_pass_filter import LowPassFilter

CASES = Cases("linear_time_invariant", shape=(96, 1), domain="uniform(-5, 5)")
_SIZE, _HALF = 31, 15


def _healthy():
    return LowPassFilter(_SIZE, cutoff=40.0, sample_rate=360.0)


def _causal():
    return LowPassFilter(_SIZE, cutoff=40.0, sample_rate=360.0, padding="causal")


def _taps():
    return np.array(_healthy().taps)


def _filtered(x, taps, padding="same"):
    kernel = np.asarray(taps, "float32").reshape(-1, 1, 1)
    if padding == "causal":
        x, padding = ops.pad(x, [[0, 0], [len(taps) - 1, 0], [0, 0]]), "valid"
    return ops.conv(x, kernel, padding=padding)


def _with(**changed):
    """The taps with some multiplied."""
    taps = _taps()
    for place, factor in changed.items():
        taps[int(place[1:])] *= factor
    return taps


@CASES.plant("centre tap off by 1 %", _healthy)
def _(x):
    return _filtered(x, _with(t15=1.01))


@CASES.plant("outer tap off by 1 %", lambda: LowPassFilter(7))
def _(x):
    return _filtered(x, np.array([1, 1, 1, 1, 1, 1, 1.01]) / 7)


@CASES.plant("outermost tap of 31 off by 5 %", _healthy)
def _(x):
    return _filtered(x, _with(t0=1.05))


@CASES.plant("two neighbouring taps swapped", _healthy)
def _(x):
    taps = _taps()
    taps[[10, 11]] = taps[[11, 10]]
    return _filtered(x, taps)


@CASES.plant("gain of 1.001", _healthy)
def _(x):
    return _filtered(x, 1.001 * _taps())


@CASES.plant("delay off by one sample", _healthy)
def _(x):
    return _filtered(ops.pad(x, [[0, 0], [1, 0], [0, 0]])[:, :-1], _taps())


@CASES.plant("a causal filter that is centred", _causal)
def _(x):
    return _filtered(x, _taps())


@CASES.plant("soft saturation", _healthy)
def _(x):
    return _filtered(x - 1e-4 * x * x * x, _taps())


@CASES.plant("clipped near the ends of the domain", _healthy)
def _(x):
    return _filtered(ops.clip(x, -4.99, 4.99), _taps())


@CASES.plant("edges repeat instead of zeros", _healthy)
def _(x):
    first, last = ops.repeat(x[:, :1], _HALF, axis=1), ops.repeat(x[:, -1:], _HALF, axis=1)
    return _filtered(ops.concatenate([first, x, last], axis=1), _taps(), "valid")


@CASES.plant("one of three channels has another tap", _healthy, shape=(96, 3))
def _(x):
    wrong = _filtered(x[:, :, 1:2], _with(t12=1.01))
    return ops.concatenate([_filtered(x[:, :, :1], _taps()), wrong, _filtered(x[:, :, 2:], _taps())], axis=-1)


@CASES.plant("one position has a gain of 1.001", _healthy)
def _(x):
    gains = np.ones((96, 1), "float32")
    gains[41] = 1.001
    return _filtered(x, _taps()) * gains


@CASES.plant("offset of 10^-3", _healthy)
def _(x):
    return _filtered(x, _taps()) + 1e-3


@CASES.plant("taps reversed", LinearTimeInvariant((0.5, 0.3, 0.15, 0.05)), shape=(40, 1))
def _(x):
    return _filtered(x, [0.5, 0.3, 0.15, 0.05], "causal")  # a convolution layer correlates


@CASES.plant("a channel leaks into the next", _healthy, shape=(96, 2))
def _(x):
    leaking = x + 1e-3 * ops.flip(x, axis=2)
    return ops.concatenate([_filtered(leaking[:, :, :1], _taps()), _filtered(x[:, :, 1:], _taps())], axis=-1)
