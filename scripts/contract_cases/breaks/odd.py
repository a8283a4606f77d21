"""`f(-x) = -f(x)`, not kept."""

from keras import ops

from contract_cases._broken import Cases
from kexport.contracts import Odd

CASES = Cases("odd")


@CASES.plant("an offset of 10^-4", Odd())
def _(x):
    return ops.tanh(x) + 1e-4


@CASES.plant("saturates earlier above than below", Odd())
def _(x):
    return ops.clip(x, -1.5, 1.499)


@CASES.plant("a square where two features are large", Odd(), shape=(2,), example=lambda rng: [[[1.97, 1.97]]])
def _(x):
    return x + 0.2 * ops.cast(x[:, :1] > 1.9, "float32") * ops.cast(x[:, 1:2] > 1.9, "float32")
