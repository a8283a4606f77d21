"""No faster than a step a sample, not kept."""

import numpy as np
from keras import ops

from contract_cases._broken import Cases
from kexport.contracts import RateLimited

CASES = Cases("rate_limited", shape=(48,), domain="uniform(-5, 5)")
_STEP = 0.5


def _limited(x, up=_STEP, down=_STEP, steps=None):
    """The recurrence, step by step."""
    y, found = x[:, :1], []
    found.append(y)
    for n in range(1, x.shape[1]):
        own = 1.0 if steps is None else float(steps[n])
        y = y + ops.clip(x[:, n : n + 1] - y, -own * down, own * up)
        found.append(y)
    return ops.concatenate(found, axis=1)


@CASES.plant("step off by one part in 1000", RateLimited(_STEP))
def _(x):
    return _limited(x, 1.001 * _STEP, 1.001 * _STEP)


@CASES.plant("exceeded at one sample of 48", RateLimited(_STEP))
def _(x):
    steps = np.ones(48)
    steps[31] = 1.2
    return _limited(x, steps=steps)


@CASES.plant("once in 256, at a sample that must be large", RateLimited(1.0), shape=(256,),
             example=lambda rng: [np.where(np.arange(256) >= 200, 5.0, -5.0)[None]])  # fmt: skip
def _(x):
    smooth = 0.09 * x
    late = np.zeros(256, "float32")
    late[200] = 1.0
    return smooth + 2.0 * late * ops.relu(x - 4.8)


@CASES.plant("limited upwards alone", RateLimited(_STEP))
def _(x):
    return _limited(x, down=10.0)


@CASES.plant("compared with the input before instead of the output", RateLimited(_STEP))
def _(x):
    before = ops.concatenate([x[:, :1], x[:, :-1]], axis=1)
    return before + ops.clip(x - before, -_STEP, _STEP)


@CASES.plant("the limit is that of two samples", RateLimited(_STEP), shape=(48, 2))
def _(x):
    return ops.clip(x, -0.26, 0.26)
