"""`low <= y <= high`, not kept."""

import numpy as np
from keras import ops

from contract_cases._broken import Cases
from kexport.contracts import Bounded

CASES = Cases("bounded", shape=(2,))
_WIDTH = 4.0  # of the domain


def _inside(x, low, high):
    """1 where all features lie between; 0 elsewhere."""
    within = ops.cast(x > low, "float32") * ops.cast(x < high, "float32")
    return ops.prod(within, axis=-1, keepdims=True)


@CASES.plant("a clip is missing", Bounded(0.0, 1.0))
def _(x):
    return 0.5 + 0.3 * x


@CASES.plant("a step on 10^-4 of the domain, inside", Bounded(-1.0, 1.0), example=lambda rng: [[[0.72, -1.3]]])
def _(x):
    corner = np.array([0.7, -1.32], "float32")
    return 0.5 * ops.tanh(x) + _inside(x, corner, corner + 0.01 * _WIDTH)


@CASES.plant("a step on 10^-4 of the domain, of four features", Bounded(-1.0, 1.0), shape=(4,),
             example=lambda rng: [[[0.7, -1.3, 0.2, -0.4]]])  # fmt: skip
def _(x):
    corner = np.array([0.5, -1.5, 0.0, -0.6], "float32")
    return 0.5 * ops.tanh(x) + _inside(x, corner, corner + 0.1 * _WIDTH)


@CASES.plant("a step of 10^-3 at a corner, on 10^-4 of the domain", Bounded(-1.0, 1.0), example=lambda rng: [[[2, 2]]])
def _(x):
    return ops.sin(x) * 0.99 + 0.1008 * _inside(x, 2 - 0.01 * _WIDTH, 2.1)


@CASES.plant("a smooth spike inside", Bounded(-1.0, 1.0), shape=(3,), example=lambda rng: [[[0.8, -0.5, 0.3]]])
def _(x):
    apart = ops.sum(ops.square(x - np.array([0.8, -0.5, 0.3], "float32")), axis=-1, keepdims=True)
    return 0.5 * ops.tanh(x) + 0.8 * ops.exp(-apart / 0.01)


@CASES.plant("tanh stretched by one part in 10^4", Bounded(-1.0, 1.0), domain="uniform(-12, 12)")
def _(x):
    return 1.0001 * ops.tanh(x)


@CASES.plant("the lower bound alone", Bounded(0.0, None), example=lambda rng: [[[0.0, 1.0]]])
def _(x):
    return ops.square(x) - 1e-3 * ops.cast(x < 0.01, "float32") * ops.cast(x > -0.01, "float32")


@CASES.plant("the upper bound alone", Bounded(None, 3.0), shape=(8,))
def _(x):
    return ops.sum(ops.abs(x), axis=-1, keepdims=True) / 5.0


@CASES.plant("clipped a little too late", Bounded(0.0, 1.0))
def _(x):
    return ops.clip(x, 0.0, 1.00005)


@CASES.plant("one of 16 outputs", Bounded(0.0, 1.0), shape=(16,))
def _(x):
    scale = np.ones(16, "float32")
    scale[11] = 1.002
    return scale * ops.sigmoid(4 * x)


@CASES.plant("two large features of 16 together", Bounded(-2.5, 2.5), shape=(16,), example=lambda rng: [[[2.0] * 16]])
def _(x):
    return x + 18 * ops.relu(x[:, 3:4] - 1.8) * ops.relu(x[:, 9:10] - 1.8)
