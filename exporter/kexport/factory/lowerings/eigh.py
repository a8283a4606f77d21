"""Eigenvalues of symmetric matrices, in ascending order, by Jacobi's rotations.

Only the lower triangle is read, as TensorFlow does. Eigenvectors are given only where no output depends on their
signs.
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
    flat, count = _matrix.batched(a), a.shape[-1]
    lower = tf.cast(tf.range(count)[:, None] >= tf.range(count)[None, :], a.dtype)[None]
    itself = tf.eye(count, dtype=a.dtype)[None]
    whole = flat * lower + tf.linalg.matrix_transpose(flat * (lower - itself))
    wanted = op.get_attr("compute_v") and _sign.signs_cancel([op.outputs[1]])
    state = [whole, _matrix.eye(count, flat)] if wanted else [whole]

    def rotate(rotation: Tensor, matrix: Tensor, *vectors: Tensor) -> list[Tensor]:
        turned = tf.matmul(tf.matmul(rotation, matrix, transpose_a=True), rotation)
        turned = (turned + tf.linalg.matrix_transpose(turned)) / 2
        return [turned, *(tf.matmul(part, rotation) for part in vectors)]

    matrix, *vectors = _jacobi.rotated(state, lambda matrix, *_: matrix, rotate)
    values, order = tf.math.top_k(-tf.reduce_sum(matrix * itself, 2), count)
    results: list[Tensor | Missing] = [_matrix.unbatched(-values, a, 1), Missing("eigenvectors", _sign.WHY)]
    if vectors:
        chosen = tf.one_hot(order, count, axis=1, dtype=a.dtype)
        results[1] = _matrix.unbatched(tf.matmul(vectors[0], chosen), a, 2)
    return results


def _applies(_op: Operation, inputs: Sequence[Tensor]) -> bool:
    shape = inputs[0].shape
    return shape.rank is not None and shape[-1] is not None and 0 < shape[-1] <= _jacobi.LARGEST


LOWERING = Lowering("eigh", ("onnx", "tflite"), ("SelfAdjointEigV2",), _emit, _applies)
