"""Numbers for numbers, not kept."""

import numpy as np
from keras import ops

from contract_cases._broken import Cases
from kexport.contracts import Finite

CASES = Cases("finite", shape=(2,))


@CASES.plant("overflows in a corner", Finite(), domain="uniform(-46, 46)", example=lambda rng: [[[46, 46]]])
def _(x):
    return ops.exp(ops.sum(x, axis=-1, keepdims=True))


@CASES.plant("the root of a negative number on 10^-4 of the domain", Finite(), example=lambda rng: [[[0.5, -0.5]]])
def _(x):
    apart = ops.sum(ops.square(x - np.array([0.5, -0.5], "float32")), axis=-1, keepdims=True)
    return ops.sqrt(apart - 0.0006)


@CASES.plant(
    "the root of a negative number at the lower end",
    Finite(),
    domain="uniform(-0.001, 5)",
    example=lambda rng: [[[-0.001, 1]]],
)
def _(x):
    return ops.sqrt(x)


@CASES.plant("a logarithm at the lower end", Finite(), domain="uniform(0, 1)", example=lambda rng: [[[0, 1]]])
def _(x):
    return ops.log(x)
