"""Products, Fourier transforms, segments and complex numbers."""

import numpy as np
from keras import ops

from coverage_cases._draw import integers, normal
from coverage_cases.ops._operation import Operations

CASES = Operations()
of = CASES.of
_TWO = [normal(4, 5), normal(4, 5)]


def _pair(function):
    """Of a function of a complex array in two parts, the two parts."""
    return lambda x: list(function((x[0], x[1])))


of("matmul/default", [normal(4, 5), normal(5, 3)], lambda x: ops.matmul(x[0], x[1]))
of("matmul/broadcast", [normal(2, 4, 5), normal(1, 5, 3)], lambda x: ops.matmul(x[0], x[1]))
of("matmul/int", [integers(-9, 9, 4, 5), integers(-9, 9, 5, 3)], lambda x: ops.matmul(x[0], x[1]))
of("matmul/dynamic", [normal(None, 5), normal(5, None)], lambda x: ops.matmul(x[0], x[1]))
of("dot/default", normal(4, 5), lambda x: ops.dot(x, ops.reshape(ops.arange(10, dtype="float32"), (5, 2))))
of("outer/default", [normal(4), normal(3)], lambda x: ops.outer(x[0][0], x[1][0]))
of("tensordot/default", normal(4, 5), lambda x: ops.tensordot(x, ops.ones((4, 5, 2)), axes=[[1, 2], [0, 1]]))
of("vdot/default", _TWO, lambda x: ops.vdot(x[0][0, 0], x[1][0, 0]) + x[0])
of("cross/default", [normal(4, 3), normal(4, 3)], lambda x: ops.cross(x[0], x[1]))
for _index, _formula in enumerate(("bij,bkj->bik", "bij,bij->b", "bij,bkl->bikjl", "bij,bij->bi", "bij,bkj->bikj")):
    of(f"einsum/{_formula}", _TWO, lambda x, formula=_formula: ops.einsum(formula, x[0], x[1]))
for _formula in ("bij->bji", "bij->b", "...j->..."):
    of(f"einsum/{_formula}", normal(4, 5), lambda x, formula=_formula: ops.einsum(formula, x))
of("einsum/three", [normal(4, 5), normal(5, 3), normal(3, 2)], lambda x: ops.einsum("bij,bjk,bkl->bil", *x))
of("cdist/default", [normal(4, 3), normal(5, 3)], lambda x: ops.cdist(x[0], x[1]))
of(
    "segment_sum/default",
    normal(4, 5),
    lambda x: ops.segment_sum(ops.transpose(x, (1, 0, 2)), np.array([0, 0, 1, 2]), 3),
)
of(
    "segment_sum/unsorted",
    normal(4, 5),
    lambda x: ops.segment_sum(ops.transpose(x, (1, 0, 2)), np.array([2, 0, 1, 0]), 4),
)
for _name in ("max", "min", "prod"):
    of(
        f"segment_{_name}/default",
        normal(4, 5),
        lambda x, name=_name: getattr(ops, f"segment_{name}")(ops.transpose(x, (1, 0, 2)), np.array([0, 0, 1, 2]), 3),
    )
of("fft/default", [normal(8), normal(8)], _pair(ops.fft))
of("fft/prime", [normal(7), normal(7)], _pair(ops.fft))
of("fft2/default", [normal(8, 6), normal(8, 6)], _pair(ops.fft2))
of("ifft2/default", [normal(8, 6), normal(8, 6)], _pair(ops.ifft2))
of("rfft/default", normal(16), lambda x: list(ops.rfft(x)))
of("rfft/longer", normal(16), lambda x: list(ops.rfft(x, 32)))
of("rfft/odd", normal(15), lambda x: list(ops.rfft(x)))
of("irfft/default", [normal(9), normal(9)], lambda x: ops.irfft((x[0], x[1])))
of("stft/default", normal(64), lambda x: list(ops.stft(x, 16, 8, 16)))
of("stft/padded", normal(60), lambda x: list(ops.stft(x, 12, 6, 16, center=False)))
of("istft/default", [normal(9, 9), normal(9, 9)], lambda x: ops.istft((x[0], x[1]), 16, 8, 16))
of("extract_sequences/default", normal(30), lambda x: ops.extract_sequences(x, 8, 4))
of("view_as_complex/default", normal(4, 2), lambda x: ops.abs(ops.view_as_complex(x)))
of("view_as_real/default", normal(4, 2), lambda x: ops.view_as_real(ops.view_as_complex(x) * ops.view_as_complex(x)))
of("conj/complex", normal(4, 2), lambda x: ops.view_as_real(ops.conj(ops.view_as_complex(x))))
of("angle/complex", normal(4, 2), lambda x: ops.angle(ops.view_as_complex(x)))
