"""Determinants by elimination with partial pivoting: the product of the pivots, negated at each swap of rows.

Source: G. H. Golub and C. F. Van Loan, Matrix Computations, 4th edition, 3.4.
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
    count = _matrix.size(flat, 1)
    one = tf.ones_like(flat[:, :1, 0])

    def step(k: Tensor, a: Tensor, sign: Tensor, product: Tensor) -> list[Tensor]:
        a, pivot, swapped = _matrix.pivoted(a, k)
        value = _matrix.column(pivot, k)
        whole = tf.where(tf.equal(value, 0), tf.ones_like(value), value)  # nothing is below a pivot of zero
        below = tf.cast(_matrix.numbers(count) > k, a.dtype)[None, :, None]
        a = a - below * _matrix.column(a, k) / whole * pivot
        sign = sign * tf.where(swapped, -1 * tf.ones_like(value), tf.ones_like(value))[:, :, 0]
        value = value[:, :, 0]
        if op.type == "MatrixDeterminant":
            return [a, sign, product * value]
        return [a, sign * tf.sign(value), product + tf.math.log(tf.abs(value))]

    start = one if op.type == "MatrixDeterminant" else tf.zeros_like(one)
    _, sign, product = _matrix.repeat(count, step, [flat, one, start])
    sign, product = (_matrix.unbatched(x[:, 0], a, 0) for x in (sign, product))
    return [sign * product] if op.type == "MatrixDeterminant" else [sign, product]


def _applies(_op: Operation, inputs: Sequence[Tensor]) -> bool:
    return inputs[0].shape.rank is not None


LOWERING = Lowering("determinant", ("onnx", "tflite"), ("MatrixDeterminant", "LogMatrixDeterminant"), _emit, _applies)
