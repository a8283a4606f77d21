"""The cross product of vectors, by the rotated products of their parts: neither ONNX nor tf2onnx knows it.

(a x b)_i = a_(i+1) b_(i+2) - a_(i+2) b_(i+1), indices modulo 3.
Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 3.1; any text on vector algebra.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering

_NEXT, _AFTER = (1, 2, 0), (2, 0, 1)


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    a, b = inputs

    def rotated(tensor: Tensor, order: Sequence[int]) -> Tensor:
        return tf.gather(tensor, order, axis=-1)

    return [rotated(a, _NEXT) * rotated(b, _AFTER) - rotated(a, _AFTER) * rotated(b, _NEXT)]


LOWERING = Lowering("cross_onnx", ("onnx",), ("Cross",), _emit)
