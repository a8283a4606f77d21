"""`f(a x + b y) = a f(x) + b f(y)`, not kept."""

import numpy as np
from keras import ops

from contract_cases._broken import Cases
from kexport.contracts import Linear

CASES = Cases("linear", shape=(6,), domain="uniform(-3, 3)")
_KERNEL = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")


@CASES.plant("offset of 10^-3", Linear())
def _(x):
    return x @ _KERNEL + 1e-3


@CASES.plant("negative inputs weigh 10^-3 less", Linear())
def _(x):
    return (x - 1e-3 * ops.minimum(x, 0.0)) @ _KERNEL


@CASES.plant("saturates near the ends of the domain", Linear())
def _(x):
    return ops.clip(x, -2.98, 2.98) @ _KERNEL


@CASES.plant("a product of two features", Linear())
def _(x):
    return x @ _KERNEL + 1e-3 * x[:, :1] * x[:, 1:2]


@CASES.plant("a cubic term", Linear())
def _(x):
    return (x + 1e-5 * x * x * x) @ _KERNEL
