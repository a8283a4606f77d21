"""The inverse error function, which ONNX lacks: computed in float32, whatever the dtype.

Source: see `_erfinv.py`, which has the mathematics.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._erfinv import erfinv
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    (x,) = inputs
    return [tf.cast(erfinv(tf.cast(x, tf.float32)), x.dtype)]


LOWERING = Lowering("erfinv_onnx", ("onnx",), ("Erfinv",), _emit)
