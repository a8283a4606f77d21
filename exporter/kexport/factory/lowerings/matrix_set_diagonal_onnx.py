"""A diagonal put into matrices of unknown number, which tf2onnx cannot: a choice where column - row = k.

Source: TensorFlow's `MatrixSetDiagV3`, for one diagonal.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._diagonal import on_diagonal, sizes
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import numpy as np
    import tensorflow as tf

    x, values, number = inputs
    rows, columns = sizes(x)[-2:]
    return [on_diagonal(values, int(np.ravel(tf.get_static_value(number))[0]), rows, columns, x)]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    import numpy as np
    import tensorflow as tf

    if inputs[0].shape.rank == 2 and inputs[0].op.type == "Fill":
        return False  # an identity matrix, for which there is an operator
    number = tf.get_static_value(inputs[2])
    return number is not None and np.ptp(number) == 0 and inputs[0].shape.rank is not None


LOWERING = Lowering("matrix_set_diagonal_onnx", ("onnx",), ("MatrixSetDiagV3",), _emit, _applies)
