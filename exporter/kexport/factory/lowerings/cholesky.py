"""The Cholesky factor, column by column: each is a column of what the earlier ones leave, over its root.

Only the lower triangle is read, as TensorFlow does; a matrix that is not positive gives NaN.
Source: G. H. Golub and C. F. Van Loan, Matrix Computations, 4th edition, 4.2.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings import _matrix
from kexport.factory.lowerings._rule import Lowering


def _emit(_op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    (a,) = inputs
    flat = _matrix.batched(a)
    count = _matrix.size(flat, 1)

    def step(k: Tensor, rest: Tensor, factor: Tensor) -> list[Tensor]:
        column = _matrix.column(rest, k)
        column = column / tf.sqrt(_matrix.row(column, k))
        column = column * tf.cast(_matrix.numbers(count) >= k, rest.dtype)[None, :, None]
        here = _matrix.unit(k, count, rest.dtype)[None, None, :]
        return [rest - column * tf.linalg.matrix_transpose(column), factor + column * here]

    _, factor = _matrix.repeat(count, step, [flat, tf.zeros_like(flat)])
    return [_matrix.unbatched(factor, a, 2)]


def _applies(_op: Operation, inputs: Sequence[Tensor]) -> bool:
    return inputs[0].shape.rank is not None


LOWERING = Lowering("cholesky", ("onnx", "tflite"), ("Cholesky",), _emit, _applies)
