"""`f(-x) = f(x)`, not kept."""

from keras import ops

from contract_cases._broken import Cases
from kexport.contracts import Even

CASES = Cases("even")


@CASES.plant("an offset of 10^-3", Even())
def _(x):
    return ops.square(x - 1e-3)


@CASES.plant("an odd part near a corner", Even(), shape=(2,), example=lambda rng: [[[2, 2]]])
def _(x):
    return ops.cos(x) + 5 * ops.relu(x[:, :1] - 1.9) * ops.relu(x[:, 1:2] - 1.9)


@CASES.plant("a cubic term", Even())
def _(x):
    return ops.abs(x) + 1e-4 * x * x * x
