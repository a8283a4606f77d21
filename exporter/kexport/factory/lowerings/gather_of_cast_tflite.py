"""A gather of what was cast from numbers that TFLite cannot gather, such as float64: of items of one number each.

TensorFlow's converter moves a gather before a cast, where TFLite has none for the dtype, and then refuses the model.
The added axis stands between them.
Source: TensorFlow Lite's tfl_ops.td, the types of the operands of TFL_GatherOp; found by trying each dtype.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering

_UNGATHERED = ("float64", "float16", "bfloat16", "uint16", "uint32", "uint64")


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    import tensorflow as tf

    source = inputs[0].op
    while source.type == "Identity":
        source = source.inputs[0].op
    casts = source.type == "Cast" and source.inputs[0].dtype.name in _UNGATHERED
    return casts and inputs[0].dtype.name not in _UNGATHERED and tf.get_static_value(inputs[2]) is not None


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    x, places, axis = inputs
    at = int(tf.get_static_value(axis))
    items = tf.expand_dims(x, -1)
    found = tf.gather(items, places, axis=at - 1 if at < 0 else at, batch_dims=op.get_attr("batch_dims"))
    return [tf.squeeze(found, [-1])]


LOWERING = Lowering("gather_of_cast_tflite", ("tflite",), ("GatherV2",), _emit, _applies)
