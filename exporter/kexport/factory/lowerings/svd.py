"""Singular values, in descending order, by Jacobi's rotations of the columns (Hestenes).

When all columns are orthogonal, their lengths are the singular values. Singular vectors are given only
where no output depends on their signs; those of a singular value of zero are then zero too, as their factor is.
Source: see `_jacobi.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings import _jacobi, _matrix, _sign
from kexport.factory.lowerings._rule import Lowering, Missing


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor | Missing]:
    import tensorflow as tf

    (a,) = inputs
    flat, wide = _matrix.batched(a), a.shape[-2] < a.shape[-1]
    tall = tf.linalg.matrix_transpose(flat) if wide else flat
    count = tall.shape[2]
    wanted = op.get_attr("compute_uv") and _given(op) and _sign.signs_cancel(op.outputs[1:])
    state = [tall, _matrix.eye(count, flat)] if wanted else [tall]
    columns, *vectors = _jacobi.rotated(
        state,
        lambda columns, *_: tf.matmul(columns, columns, transpose_a=True),
        lambda rotation, *parts: [tf.matmul(part, rotation) for part in parts],
    )
    values, order = tf.math.top_k(tf.sqrt(tf.reduce_sum(columns * columns, 1)), count)
    results: list[Tensor | Missing] = [_matrix.unbatched(values, a, 1), *[Missing("singular vectors", _sign.WHY)] * 2]
    if vectors:
        chosen = tf.one_hot(order, count, axis=1, dtype=a.dtype)
        length = tf.expand_dims(values, 1)
        left = tf.matmul(columns, chosen) / tf.where(length > 0, length, tf.ones_like(length))
        both = [_matrix.unbatched(part, a, 2) for part in (left, tf.matmul(vectors[0], chosen))]
        results[1:] = reversed(both) if wide else both
    return results


def _given(op: Operation) -> bool:
    """Whether all the vectors asked for belong to singular values."""
    rows, columns = op.inputs[0].shape[-2:]
    return rows == columns or not op.get_attr("full_matrices")


def _applies(_op: Operation, inputs: Sequence[Tensor]) -> bool:
    shape = inputs[0].shape
    return shape.rank is not None and None not in (*shape[-2:],) and 0 < min(shape[-2:]) <= _jacobi.LARGEST


LOWERING = Lowering("svd", ("onnx", "tflite"), ("Svd",), _emit, _applies)
