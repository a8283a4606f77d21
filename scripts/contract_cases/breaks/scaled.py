"""`y = factor * x`, not kept."""

import numpy as np
from keras import ops

from contract_cases._broken import Cases
from kexport.contracts import Scaled

CASES = Cases("scaled", shape=(8,), domain="uniform(-5, 5)")
_FACTORS = (0.5, 1.0, 2.0, 4.0, -1.0, 0.25, 10.0, 3.0)


@CASES.plant("off by one part in 10^4", Scaled(2.5))
def _(x):
    return 2.5 * (1 + 1e-4) * x


@CASES.plant("one channel off by 1 part in 1000", Scaled(_FACTORS))
def _(x):
    return x * np.array([*_FACTORS[:5], 0.25 * 1.001, *_FACTORS[6:]], "float32")


@CASES.plant("clipped near the end of the domain", Scaled(2.0))
def _(x):
    return ops.clip(2.0 * x, -9.99, 9.99)


@CASES.plant("offset of 10^-4", Scaled(3.0))
def _(x):
    return 3.0 * x + 1.5e-4


@CASES.plant("negative inputs off by one part in 10^4", Scaled(2.0))
def _(x):
    return 2.0 * x + 2e-4 * ops.minimum(x, 0.0)


@CASES.plant("two channels swapped", Scaled(_FACTORS))
def _(x):
    return x * np.array([*_FACTORS[:2], 4.0, 2.0, *_FACTORS[4:]], "float32")
