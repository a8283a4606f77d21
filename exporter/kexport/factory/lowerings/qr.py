"""Orthogonal and triangular factors by Householder's reflections, with the signs that TensorFlow's have.

Column k, from the diagonal on, becomes -sign(x) |column|, x being its first number; no reflection where nothing is
below the diagonal.
Source: G. H. Golub and C. F. Van Loan, Matrix Computations, 4th edition, 5.1 and 5.2.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings import _matrix
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    (a,) = inputs
    flat = _matrix.batched(a)
    rows, columns = a.shape[-2], a.shape[-1]
    kept = rows if op.get_attr("full_matrices") else min(rows, columns)

    def step(k: Tensor, r: Tensor, q: Tensor) -> list[Tensor]:
        vector = _matrix.column(r, k)
        first = _matrix.row(vector, k)
        tail = vector * tf.cast(_matrix.numbers(rows) > k, r.dtype)[None, :, None]
        square = tf.reduce_sum(tail * tail, 1, keepdims=True)
        done = square <= r.dtype.as_numpy_dtype(0)
        length = tf.sqrt(first * first + square)
        target = tf.where(first >= 0, -length, length)
        scale = tf.where(done, tf.ones_like(first), first - target)
        normal = tail / scale + _matrix.unit(k, rows, r.dtype)[None, :, None]
        factor = tf.where(done, tf.zeros_like(first), -scale / tf.where(done, tf.ones_like(first), target))
        across = tf.linalg.matrix_transpose(normal)
        return [r - factor * normal * tf.matmul(across, r), q - tf.matmul(q, normal) * (factor * across)]

    r, q = _matrix.repeat(min(rows, columns), step, [flat, _matrix.eye(rows, flat)])
    upper = tf.cast(_matrix.numbers(columns)[None, :] >= _matrix.numbers(rows)[:, None], a.dtype)
    return [_matrix.unbatched(q[:, :, :kept], a, 2), _matrix.unbatched((r * upper[None])[:, :kept], a, 2)]


def _applies(_op: Operation, inputs: Sequence[Tensor]) -> bool:
    shape = inputs[0].shape
    return shape.rank is not None and None not in (shape[-2], shape[-1])


LOWERING = Lowering("qr", ("onnx", "tflite"), ("Qr",), _emit, _applies)
