"""The cross product of vectors, by the rotated products of their parts: neither ONNX nor tf2onnx knows it.

(a x b)_i = a_(i+1) b_(i+2) - a_(i+2) b_(i+1), indices modulo 3.
Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 3.1; any text on vector algebra.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kexport.factory.lowerings._lowering import Lowering

_NEXT, _AFTER = (1, 2, 0), (2, 0, 1)


def _emit(op: Any, inputs: Sequence[Any]) -> Sequence[Any]:
    import tensorflow as tf

    a, b = inputs

    def rotated(tensor: Any, order: Sequence[int]) -> Any:
        return tf.gather(tensor, order, axis=-1)

    return [rotated(a, _NEXT) * rotated(b, _AFTER) - rotated(a, _AFTER) * rotated(b, _NEXT)]


LOWERING = Lowering("cross_product", ("onnx",), ("Cross",), _emit)
