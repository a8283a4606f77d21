"""A sum that is promised, not kept."""

from keras import ops

from contract_cases._broken import Cases
from kexport.contracts import SumsTo

CASES = Cases("sums_to", shape=(6,), domain="uniform(-4, 4)")


@CASES.plant("softmax over the wrong axis", SumsTo(1.0), shape=(3, 4))
def _(x):
    return ops.softmax(x, axis=1)


@CASES.plant("total off by one part in 10^4", SumsTo(2.0))
def _(x):
    return 2.0002 * ops.softmax(x)


@CASES.plant("a small number in the denominator", SumsTo(1.0))
def _(x):
    powers = ops.exp(x)
    return powers / (ops.sum(powers, axis=-1, keepdims=True) + 1e-3)


@CASES.plant("small shares are cut off", SumsTo(1.0))
def _(x):
    share = ops.softmax(x)
    return ops.where(share < 1e-3, 0.0, share)


@CASES.plant("one share rounded", SumsTo(1.0), shape=(2,))
def _(x):
    share = ops.softmax(x)
    return ops.concatenate([share[:, :1], ops.round(share[:, 1:] * 1000) / 1000], axis=-1)


@CASES.plant("off where one input is far above the rest", SumsTo(1.0), example=lambda rng: [[[4, -4, -4, -4, -4, -4]]])
def _(x):
    share = ops.softmax(x)
    return share - 0.02 * ops.relu(share - 0.995)
