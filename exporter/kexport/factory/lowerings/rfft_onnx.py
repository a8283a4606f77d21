"""Fourier transforms of real numbers, and their inverses, as products with matrices.

tf2onnx maps the magnitude of a whole RFFT alone, and TFLite RFFT2D alone, of lengths that are powers of two. There
the operator stays if nothing but real and imaginary parts, magnitude or angle is asked of it.
Source: see `_dft.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings import _dft
from kexport.factory.lowerings._complex_pair import ComplexPair
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor | ComplexPair]) -> Sequence[Tensor | ComplexPair]:
    return [_dft.real_transform(op, inputs)]


LOWERING = Lowering("rfft_onnx", ("onnx",), _dft.REAL_OPS, _emit, on_complex=True)
