"""`x log y`, `x log(1 + y)` and `x / y`, which are 0 where x is 0 whatever y is: ONNX has none of them.

Source: TensorFlow's `Xlogy`, `Xlog1py` and `Xdivy`.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._log import log, log1p
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    x, y = inputs
    if op.type == "Xdivy":
        product = x / y
    elif op.type == "Xlogy":
        product = x * log(y)
    else:
        product = x * log1p(y)
    return [tf.where(tf.equal(x, 0), tf.zeros_like(product), product)]


LOWERING = Lowering("zero_times_onnx", ("onnx",), ("Xlogy", "Xlog1py", "Xdivy"), _emit)
