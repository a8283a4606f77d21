"""No output before its cause, not kept."""

import numpy as np
from keras import ops

from contract_cases._broken import Cases
from kexport.contracts import Causal
from kexport_layers.low_pass_filter import LowPassFilter

CASES = Cases("causal", shape=(64,), domain="uniform(-5, 5)")
_TAPS = (0.4, 0.3, 0.2, 0.1)


def _past(x, taps):
    padded = ops.pad(x, [[0, 0], [len(taps) - 1, 0]])
    return sum(tap * padded[:, len(taps) - 1 - k : 64 + len(taps) - 1 - k] for k, tap in enumerate(taps))


def _next(x):
    return ops.pad(x, [[0, 0], [0, 1]])[:, 1:]


@CASES.plant("a future sample leaks by 10^-3", Causal())
def _(x):
    return _past(x, _TAPS) + 1e-3 * _next(x)


@CASES.plant("the mean of the whole signal is taken off", Causal())
def _(x):
    return x - ops.mean(x, axis=1, keepdims=True)


@CASES.plant("the filter is centred", Causal())
def _(x):
    return LowPassFilter(5)(x)


@CASES.plant("scaled by the largest of the whole signal", Causal())
def _(x):
    return x / (1.0 + ops.max(ops.abs(x), axis=1, keepdims=True))


@CASES.plant("one position looks ahead", Causal())
def _(x):
    mask = np.zeros(64, "float32")
    mask[37] = 1e-3
    return _past(x, _TAPS) + mask * _next(x)


@CASES.plant("the future counts only where the signal is large", Causal())
def _(x):
    return _past(x, _TAPS) + 0.1 * ops.relu(_next(x) - 4.9)


@CASES.plant("the last sample leaks into the first", Causal())
def _(x):
    return ops.concatenate([x[:, :1] + 1e-3 * x[:, -1:], x[:, 1:]], axis=1)
