"""The cross product of vectors, which TFLite lacks: (a2 b3 - a3 b2, a3 b1 - a1 b3, a1 b2 - a2 b1).

Source: TensorFlow's `Cross`.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    a, b = inputs
    (a1, a2), (b1, b2) = ([tf.gather(x, order, axis=-1) for order in ([1, 2, 0], [2, 0, 1])] for x in (a, b))
    return [a1 * b2 - a2 * b1]


LOWERING = Lowering("cross_tflite", ("tflite",), ("Cross",), _emit)
