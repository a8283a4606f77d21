"""A sum that is conserved, not kept."""

import numpy as np
from keras import ops

from contract_cases._broken import Cases
from kexport.contracts import About, Conserves

CASES = Cases("conserves", shape=(8,), domain="uniform(-3, 3)")


def _shifted(x, reference, count=8):
    return x + ops.sum(reference - x, axis=-1, keepdims=True) / count


@CASES.plant("the sum grows by 10^-3", Conserves())
def _(x):
    return ops.flip(x, axis=-1) + 1e-3 / 8


@CASES.plant("one of 8 elements loses one part in 1000", Conserves())
def _(x):
    keep = np.ones(8, "float32")
    keep[5] = 0.999
    return x * keep


@CASES.plant("shifted by a ninth instead of an eighth", About(Conserves(), "reference"), shapes=((8,), (8,)))
def _(x, reference):
    return _shifted(x, reference, 9)


@CASES.plant("only the first seven count", About(Conserves(), "reference"), shapes=((8,), (8,)))
def _(x, reference):
    return x + ops.sum((reference - x)[:, :7], axis=-1, keepdims=True) / 8


@CASES.plant("negative values lost at the end", About(Conserves(), "reference"), shapes=((8,), (8,)))
def _(x, reference):
    return ops.maximum(_shifted(x, reference), -3.0)


@CASES.plant("conserved along the wrong axis", About(Conserves(), "reference"), shapes=((4, 8), (4, 8)))
def _(x, reference):
    return x + ops.mean(reference - x, axis=1, keepdims=True)
