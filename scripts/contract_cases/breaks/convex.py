"""`f((x + x') / 2) <= (f(x) + f(x')) / 2`, not kept."""

import numpy as np
from keras import ops

from contract_cases._broken import Cases
from kexport.contracts import Convex

CASES = Cases("convex", shape=(6,))
_RNG = np.random.default_rng(11)
_FIRST = _RNG.normal(size=(6, 16)).astype("float32")
_SECOND = np.abs(_RNG.normal(size=(16, 2))).astype("float32")


def _hidden(x):
    return ops.relu(x @ _FIRST + 0.1)


@CASES.plant("one of 32 weights is negative", Convex())
def _(x):
    second = _SECOND.copy()
    second[7, 1] = -second[7, 1]
    return _hidden(x) @ second


@CASES.plant("a concave kink in a part of the domain", Convex(), shape=(2,),
             example=lambda rng: [[[1.4, 0], [1.6, 0]]])  # fmt: skip
def _(x):
    return ops.sum(ops.abs(x), axis=-1, keepdims=True) - 0.5 * ops.relu(x[:, :1] - 1.5)


@CASES.plant("the smallest instead of the largest", Convex())
def _(x):
    return ops.min(x @ _FIRST, axis=-1, keepdims=True)


@CASES.plant("saturates", Convex())
def _(x):
    return ops.minimum(_hidden(x) @ _SECOND, 20.0)


@CASES.plant("slightly concave", Convex(), shape=(3,))
def _(x):
    return ops.sum(x, axis=-1, keepdims=True) - 1e-3 * ops.square(x[:, :1])


@CASES.plant("a product of two features", Convex(), shape=(3,), example=lambda rng: [[[1, -1, 0], [-1, 1, 0]]])
def _(x):
    return ops.sum(ops.square(x), axis=-1, keepdims=True) + 2.1 * x[:, :1] * x[:, 1:2]


@CASES.plant("an activation that is not convex everywhere", Convex(), example=lambda rng: [[[-2.0] * 6, [-1.2] * 6]])
def _(x):
    return ops.silu(3 * x)
