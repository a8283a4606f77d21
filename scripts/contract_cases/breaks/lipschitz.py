"""A Lipschitz constant, not kept."""

import numpy as np
from keras import ops

from contract_cases._broken import Cases
from kexport.contracts import Lipschitz

CASES = Cases("lipschitz", shape=(8,))
_KERNEL = np.random.default_rng(2).normal(size=(8, 6))


def _of_norm(norm, order=2):
    """The kernel as a map of rows, of that operator norm."""
    size = np.linalg.norm(_KERNEL.T, order)
    return (_KERNEL * (norm / size)).astype("float32")


def _along(vector):
    """Two samples apart by a vector, as far as the domain allows."""
    step = np.asarray(vector) / np.abs(vector).max() * 2
    return lambda rng: [[-step, step]]


_FIRST = np.linalg.svd(_KERNEL.T)[2][0]


@CASES.plant("exceeded by 0.1 %", Lipschitz(1.0, 2), example=_along(_FIRST))
def _(x):
    return x @ _of_norm(1.001)


@CASES.plant("spectral norm of one power iteration", Lipschitz(1.0, 2), example=_along(_FIRST))
def _(x):
    start = np.ones(8) / np.sqrt(8)
    guess = np.linalg.norm(_KERNEL.T @ start)
    return x @ (_KERNEL / max(guess, 0.7 * np.linalg.norm(_KERNEL, 2))).astype("float32")


@CASES.plant("Frobenius norm of a part", Lipschitz(1.0, 2), example=_along(_FIRST))
def _(x):
    return x @ _of_norm(1.05)


@CASES.plant("steep on one part in 100 of a feature", Lipschitz(1.0, 2), shape=(2,),
             example=lambda rng: [[[0.47, 0], [0.48, 0]]])  # fmt: skip
def _(x):
    return 0.9 * x + 0.6 * ops.clip(x - 0.46, 0.0, 0.04)


@CASES.plant("rows that sum to 1.002, in the largest norm", Lipschitz(1.0, "inf"), shape=(6,),
             example=lambda rng: [[[-2, 2, -2, 2, -2, 2], [2, -2, 2, -2, 2, -2]]])  # fmt: skip
def _(x):
    weights = np.array([1, -2, 3, -1, 2, -1]) / 10 * 1.002
    return x @ np.stack([weights, weights[::-1] / 2], axis=1).astype("float32")


@CASES.plant("columns that sum to 1.002, in the sum norm", Lipschitz(1.0, 1), shape=(4,),
             example=lambda rng: [[[-2, 0, 0, 0], [2, 0, 0, 0]]])  # fmt: skip
def _(x):
    kernel = np.full((4, 4), 0.2)
    kernel[0] = 1.002 / 4
    return x @ kernel.astype("float32")


@CASES.plant("an activation of slope 1.1", Lipschitz(1.0, 2), shape=(4,),
             example=lambda rng: [[[1.3, 0, 0, 0], [1.5, 0, 0, 0]]])  # fmt: skip
def _(x):
    return ops.silu(2 * x) / 2


@CASES.plant("a step of 10^-2", Lipschitz(1.0, 2), shape=(2,),
             example=lambda rng: [[[0.369, 0], [0.371, 0]]])  # fmt: skip
def _(x):
    return 0.5 * x + 0.01 * ops.cast(x > 0.37, "float32")
