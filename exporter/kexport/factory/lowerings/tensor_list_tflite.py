"""Lists of tensors, which loops read from and write to: TFLite has them for static shapes only, so they are tensors.

An item is written by DYNAMIC_UPDATE_SLICE. `_tensor_list.py` has the rest.
Source: tensorflow/core/kernels/list_kernels.h.
"""

from __future__ import annotations

from kexport.factory.graph.protocols import Tensor
from kexport.factory.lowerings._rule import Lowering
from kexport.factory.lowerings._tensor_list import OPS, applies, emitting


def update(items: Tensor, index: Tensor, item: Tensor) -> Tensor:
    """The items, with the one of that index replaced."""
    import tensorflow as tf
    from tensorflow.compiler.tf2xla.ops import gen_xla_ops

    start = tf.stack([index, *[tf.constant(0)] * item.shape.rank])
    return gen_xla_ops.xla_dynamic_update_slice(items, tf.expand_dims(item, 0), start)


LOWERING = Lowering("tensor_list_tflite", ("tflite",), OPS, emitting(update), applies)
