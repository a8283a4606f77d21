"""`x log y`, `x log(1 + y)` and `x / y`, which are 0 where x is 0 whatever y is: ONNX has none of them.

Source: TensorFlow's `Xlogy`, `Xlog1py` and `Xdivy`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kexport.factory.lowerings import log1p
from kexport.factory.lowerings._log import log
from kexport.factory.lowerings._lowering import Lowering


def _emit(op: Any, inputs: Sequence[Any]) -> Sequence[Any]:
    import tensorflow as tf

    x, y = inputs
    if op.type == "Xdivy":
        found = x / y
    elif op.type == "Xlogy":
        found = x * log(y)
    else:
        found = x * log1p.LOWERING.emit(op, [y])[0]
    return [tf.where(tf.equal(x, 0), tf.zeros_like(found), found)]


LOWERING = Lowering("zero_times", ("onnx",), ("Xlogy", "Xlog1py", "Xdivy"), _emit)
