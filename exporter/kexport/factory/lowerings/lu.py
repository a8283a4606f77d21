"""The factors of a matrix and the order of its rows, by elimination with partial pivoting.

The numbers by which rows were multiplied take the place of the zeros that they made; the row's number goes along as
one more column.
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
    order = tf.cast(_matrix.numbers(count), a.dtype)[None, :, None] + tf.zeros_like(flat[:, :1, :1])
    columns = tf.range(count + 1)[None, None, :]

    def step(k: Tensor, a: Tensor) -> list[Tensor]:
        a, pivot, _ = _matrix.pivoted(a, k)
        below = tf.cast(_matrix.numbers(count) > k, a.dtype)[None, :, None]
        multiple = below * _matrix.column(a, k) / _matrix.column(pivot, k)
        right = tf.cast((columns > k) & (columns < count), a.dtype)
        here = tf.cast(tf.equal(columns, k), a.dtype) * below
        return [(a - multiple * (pivot * right)) * (1 - here) + here * multiple]

    (both,) = _matrix.repeat(count, step, [tf.concat([flat, order], 2)])
    factors, order = both[:, :, :count], both[:, :, count]
    return [_matrix.unbatched(factors, a, 2), _matrix.unbatched(tf.cast(order, op.outputs[1].dtype), a, 1)]


def _applies(_op: Operation, inputs: Sequence[Tensor]) -> bool:
    shape = inputs[0].shape
    return shape.rank is not None and shape[-1] is not None


LOWERING = Lowering("lu", ("onnx", "tflite"), ("Lu",), _emit, _applies)
