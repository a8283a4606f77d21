"""The inverse error function, which ONNX lacks: the same polynomials as in `erfinv`, computed in float32.

Source: as there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kexport.factory.lowerings import erfinv
from kexport.factory.lowerings._lowering import Lowering


def _emit(op: Any, inputs: Sequence[Any]) -> Sequence[Any]:
    import tensorflow as tf

    (x,) = inputs
    (found,) = erfinv.LOWERING.emit(op, [tf.cast(x, tf.float32)])
    return [tf.cast(found, x.dtype)]


LOWERING = Lowering("erfinv_onnx", ("onnx",), ("Erfinv",), _emit)
