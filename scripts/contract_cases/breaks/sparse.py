"""A share of weights that are 0, not kept."""

import numpy as np

from contract_cases._broken import Cases
from kexport.contracts import Sparse

CASES = Cases("sparse", shape=(10,))


def _kernel(zeros, value=0.0):
    kernel = np.random.default_rng(0).uniform(0.5, 1.0, 80).astype("float32")
    kernel[:zeros] = value
    return {"kernel": kernel.reshape(10, 8)}


@CASES.plant("one weight of 80 too many", Sparse(0.5), weights=_kernel(39))
def _(x, kernel):
    return x @ kernel


@CASES.plant("small, and not small enough", Sparse(0.5, 1e-3), weights=_kernel(40, 0.00101))
def _(x, kernel):
    return x @ kernel
