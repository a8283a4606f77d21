"""The cumulative product along an axis counted from the end: counted from the start, as tf2onnx needs it.

Source: TensorFlow's `Cumprod`.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    x, _ = inputs
    axis = _axis(inputs) % x.shape.rank
    return [tf.math.cumprod(x, axis, exclusive=op.get_attr("exclusive"), reverse=op.get_attr("reverse"))]


def _axis(inputs: Sequence[Tensor]) -> int:
    import tensorflow as tf

    return int(tf.get_static_value(inputs[1]))


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    import tensorflow as tf

    static = inputs[0].shape.rank is not None and tf.get_static_value(inputs[1]) is not None
    return static and _axis(inputs) < 0


LOWERING = Lowering("cumprod_onnx", ("onnx",), ("Cumprod",), _emit, _applies, before=("narrow_integers_onnx",))
