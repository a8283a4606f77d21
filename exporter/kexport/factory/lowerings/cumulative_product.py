"""The cumulative product along an axis counted from the end: counted from the start, as tf2onnx needs it.

Source: TensorFlow's `Cumprod`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kexport.factory.lowerings._lowering import Lowering


def _emit(op: Any, inputs: Sequence[Any]) -> Sequence[Any]:
    import tensorflow as tf

    x, _ = inputs
    axis = _axis(inputs) % x.shape.rank
    return [tf.math.cumprod(x, axis, exclusive=op.get_attr("exclusive"), reverse=op.get_attr("reverse"))]


def _axis(inputs: Sequence[Any]) -> int:
    import tensorflow as tf

    return int(tf.get_static_value(inputs[1]))


def _applies(op: Any, inputs: Sequence[Any]) -> bool:
    import tensorflow as tf

    known = inputs[0].shape.rank is not None and tf.get_static_value(inputs[1]) is not None
    return known and _axis(inputs) < 0


LOWERING = Lowering("cumulative_product", ("onnx",), ("Cumprod",), _emit, _applies)
