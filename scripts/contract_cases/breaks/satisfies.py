"""`A y = b`, or `A y <= b`, not kept."""

import numpy as np
from keras import ops

from contract_cases._broken import Cases
from kexport.contracts import Satisfies

CASES = Cases("satisfies", shape=(5,), domain="uniform(-2, 2)")
_A = np.array([[1.0, 1.0, 1.0, 1.0, 1.0], [1.0, -1.0, 0.0, 2.0, 0.5]])
_B = np.array([1.0, 0.3])
_EQUAL = Satisfies(tuple(map(tuple, _A)), tuple(_B))
_NORMAL = np.array([0.8, -0.6, 0.0, 0.0, 0.0])
_HALF_SPACE = Satisfies((tuple(_NORMAL),), (1.0,), relation="at_most")


def _projected(x, rows, wanted, inverse=None):
    inverse = np.linalg.pinv(rows) if inverse is None else inverse
    return x - (x @ rows.T.astype("float32") - wanted.astype("float32")) @ inverse.T.astype("float32")


def _cut(x, level, share=1.0):
    excess = ops.relu(x @ _NORMAL[:, None].astype("float32") - level)
    return x - share * excess * _NORMAL.astype("float32")


@CASES.plant("one row off by 10^-3", _EQUAL)
def _(x):
    return _projected(x, _A, _B + np.array([0.0, 1e-3]))


@CASES.plant("transposed instead of inverted", _EQUAL)
def _(x):
    return _projected(x, _A, _B, _A.T / 6)


@CASES.plant("one coefficient off by one part in 1000", _EQUAL)
def _(x):
    rows = _A.copy()
    rows[1, 3] *= 1.001
    return _projected(x, rows, _B)


@CASES.plant("clipped behind the projection", _EQUAL)
def _(x):
    return ops.clip(_projected(x, _A, _B), -2.2, 2.2)


@CASES.plant("a half-space is exceeded by 10^-3", _HALF_SPACE)
def _(x):
    return _cut(x, 1.001)


@CASES.plant("a half-space is exceeded in a corner", _HALF_SPACE, example=lambda rng: [[[2.0, -2.0, 0, 0, 0]]])
def _(x):
    return _cut(x, 1.0) + 0.5 * ops.relu(x[:, :1] - x[:, 1:2] - 3.9) * _NORMAL.astype("float32")


@CASES.plant("moved only 99.9 % of the way", _HALF_SPACE)
def _(x):
    return _cut(x, 1.0, 0.999)
