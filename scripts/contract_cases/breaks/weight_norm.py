"""A norm of the weights, not kept."""

import numpy as np

from contract_cases._broken import Cases
from kexport.contracts import WeightNorm

CASES = Cases("weight_norm", shape=(10,))
_KERNEL = np.random.default_rng(3).normal(size=(10, 8))


def _of_norm(norm):
    return {"kernel": (_KERNEL * norm / np.linalg.norm(_KERNEL, 2)).astype("float32")}


@CASES.plant("exceeded by 0.1 %", WeightNorm(1.0), weights=_of_norm(1.001))
def _(x, kernel):
    return x @ kernel


@CASES.plant("exceeded twofold", WeightNorm(3.0), weights=_of_norm(6.0))
def _(x, kernel):
    return x @ kernel
