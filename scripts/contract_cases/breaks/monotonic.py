"""Up when the input goes up, not kept."""

import numpy as np
from keras import ops

from contract_cases._broken import Cases
from kexport.contracts import Monotonic

CASES = Cases("monotonic", shape=(8,))
_RNG = np.random.default_rng(5)
_KERNEL = _RNG.uniform(0.05, 1.0, (8, 8)).astype("float32")  # 64 weights, none negative


def _changed(kernel, row, column, value):
    changed = kernel.copy()
    changed[row, column] = value
    return changed


@CASES.plant("one of 64 weights has its sign flipped", Monotonic(1))
def _(x):
    return ops.sigmoid(x @ _changed(_KERNEL, 3, 5, -_KERNEL[3, 5]))


@CASES.plant("one of 64 weights is -10^-3", Monotonic(1))
def _(x):
    return x @ _changed(_KERNEL, 6, 2, -1e-3)


@CASES.plant("one direction of eight reversed", Monotonic((1, -1, 1, 1, -1, 1, 1, 1)))
def _(x):
    signs = np.array([1, -1, 1, 1, 1, 1, 1, 1], "float32")
    return ops.tanh(0.3 * (x * signs) @ _KERNEL)


@CASES.plant("a dip inside", Monotonic(1), shape=(2,))
def _(x):
    return x - 0.3 * ops.exp(-ops.square(x - 0.5) / 0.002)


@CASES.plant("an activation that turns below -1.28", Monotonic(1))
def _(x):
    return ops.silu(0.5 * x @ _KERNEL)


@CASES.plant("falls at the end of the domain", Monotonic(1), shape=(2,), example=lambda rng: [[[1.97, 0], [2, 0]]])
def _(x):
    return x - 8 * ops.square(ops.relu(x - 1.9))


@CASES.plant("falls where two features are large", Monotonic(1), shape=(4,),
             example=lambda rng: [[[1.9, 1.7, 0, 0], [1.9, 1.9, 0, 0]]])  # fmt: skip
def _(x):
    return ops.sum(x, axis=-1, keepdims=True) - 20 * ops.relu(x[:, :1] - 1.6) * ops.relu(x[:, 1:2] - 1.6)


@CASES.plant("a step down of 10^-2", Monotonic(1), shape=(2,))
def _(x):
    return 0.1 * x - 0.01 * ops.cast(x > 0.37, "float32")
