"""Triangular equations by substitution: each unknown, once found, is subtracted from the equations still open.

Only the triangle asked for is read.
Source: G. H. Golub and C. F. Van Loan, Matrix Computations, 4th edition, 3.1.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings import _matrix
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    a, b = inputs
    lower = op.get_attr("lower")
    if op.get_attr("adjoint"):
        a, lower = tf.linalg.matrix_transpose(a), not lower
    a, b = _matrix.alike(a, b)
    flat, rest = _matrix.batched(a), _matrix.batched(b)
    count = _matrix.size(flat, 1)

    def step(k: Tensor, rest: Tensor) -> list[Tensor]:
        k = k if lower else count - 1 - k
        factors = _matrix.column(flat, k)
        solution = _matrix.row(rest, k) / _matrix.row(factors, k)
        rows = _matrix.numbers(count)
        still = tf.cast(rows > k if lower else rows < k, rest.dtype)[None, :, None]
        here = _matrix.unit(k, count, rest.dtype)[None, :, None]
        return [(rest - still * factors * solution) * (1 - here) + here * solution]

    (solved,) = _matrix.repeat(count, step, [rest])
    return [_matrix.unbatched(solved, b, 2)]


def _applies(_op: Operation, inputs: Sequence[Tensor]) -> bool:
    return all(x.shape.rank is not None for x in inputs)


LOWERING = Lowering("triangular_solve", ("onnx", "tflite"), ("MatrixTriangularSolve",), _emit, _applies)
