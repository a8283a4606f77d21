"""Diagonals taken from matrices and put into them, of which TFLite has the main one alone, and not for all types.

A single diagonal of number k: taken, it is a gather of every (columns + 1)-th element of the flat matrix; put, it is a
choice where column - row = k.
Source: TensorFlow's `MatrixDiagPartV3`, `MatrixDiagV3` and `MatrixSetDiagV3`, for one diagonal.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._diagonal import diagonal, on_diagonal, sizes
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    k = _k(op, inputs)
    if op.type == "MatrixDiagPartV3":
        return [diagonal(inputs[0], k)]
    if op.type == "MatrixSetDiagV3":
        x, values, _ = inputs
        rows, columns = sizes(x)[-2:]
        return [on_diagonal(values, k, rows, columns, x)]
    values, padding = inputs[0], inputs[4]
    size = sizes(values)[-1] + abs(k)
    return [on_diagonal(values, k, size, size, padding)]


def _k(op: Operation, inputs: Sequence[Tensor]) -> int:
    import numpy as np
    import tensorflow as tf

    return int(np.ravel(tf.get_static_value(inputs[2 if op.type == "MatrixSetDiagV3" else 1]))[0])


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    import numpy as np
    import tensorflow as tf

    numbers = tf.get_static_value(inputs[2 if op.type == "MatrixSetDiagV3" else 1])
    if numbers is None or np.ptp(numbers) != 0 or inputs[0].shape.rank is None:
        return False
    if op.type == "MatrixDiagPartV3":
        return True
    if op.type == "MatrixDiagV3" and any(tf.get_static_value(size) != -1 for size in inputs[2:4]):
        return False
    return bool(np.any(numbers)) or inputs[0].dtype == tf.bool


LOWERING = Lowering(
    "matrix_diagonal_tflite", ("tflite",), ("MatrixDiagPartV3", "MatrixDiagV3", "MatrixSetDiagV3"), _emit, _applies
)
