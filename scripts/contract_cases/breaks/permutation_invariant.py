"""The order does not matter, not kept."""

import numpy as np
from keras import ops

from contract_cases._broken import Cases
from kexport.contracts import PermutationInvariant

CASES = Cases("permutation_invariant", shape=(10, 3))


@CASES.plant("one position weighs one part in 1000 more", PermutationInvariant(1))
def _(x):
    weights = np.ones((10, 1), "float32")
    weights[6] = 1.001
    return ops.mean(x * weights, axis=1)


@CASES.plant("the last position is left out", PermutationInvariant(1))
def _(x):
    return ops.max(x[:, :-1], axis=1)


@CASES.plant("weights grow along the axis", PermutationInvariant(1))
def _(x):
    return ops.sum(x * np.linspace(1, 1.001, 10, dtype="float32")[:, None], axis=1)


@CASES.plant("the first position counts where it is large", PermutationInvariant(1))
def _(x):
    return ops.mean(x, axis=1) + 0.1 * ops.relu(x[:, 0] - 1.9)


@CASES.plant("neighbours are multiplied", PermutationInvariant(1))
def _(x):
    return ops.sum(ops.square(x), axis=1) + 1e-3 * ops.sum(x[:, 1:] * x[:, :-1], axis=1)
