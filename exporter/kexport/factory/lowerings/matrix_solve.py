"""Linear equations and inverses by Gauss and Jordan's elimination with partial pivoting.

In step k, row k is divided by its pivot and subtracted from all others so that column k becomes that of the identity.
Source: G. H. Golub and C. F. Van Loan, Matrix Computations, 4th edition, 3.4.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings import _matrix
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    a = inputs[0]
    if op.get_attr("adjoint"):
        a = tf.linalg.matrix_transpose(a)
    if op.type == "MatrixSolve":
        b = inputs[1]
        return [_matrix.unbatched(_solved(_matrix.batched(a), _matrix.batched(b)), b, 2)]
    flat = _matrix.batched(a)
    return [_matrix.unbatched(_solved(flat, _matrix.eye(_matrix.size(flat, 1), flat)), a, 2)]


def _solved(a: Tensor, b: Tensor) -> Tensor:
    import tensorflow as tf

    count, columns = _matrix.size(a, 1), _matrix.size(b, 2)

    def step(k: Tensor, both: Tensor) -> list[Tensor]:
        both, pivot, _ = _matrix.pivoted(both, k)
        pivot = pivot / _matrix.column(pivot, k)
        here = _matrix.unit(k, count, both.dtype)[None, :, None]
        return [(both - _matrix.column(both, k) * pivot) * (1 - here) + here * pivot]

    (both,) = _matrix.repeat(count, step, [tf.concat([a, b], 2)])
    solved = tf.slice(both, [0, 0, count], tf.stack([tf.shape(both)[0], count, columns]))
    solved.set_shape([a.shape[0], a.shape[1], b.shape[2]])
    return solved


def _applies(_op: Operation, inputs: Sequence[Tensor]) -> bool:
    return all(x.shape.rank is not None for x in inputs)


LOWERING = Lowering("matrix_solve", ("onnx", "tflite"), ("MatrixSolve", "MatrixInverse"), _emit, _applies)
