"""Lists of tensors, which loops read from and write to: TFLite has them for static shapes only, so they are tensors.

An item is written by DYNAMIC_UPDATE_SLICE. `_tensor_list.py` has the rest.
Source: tensorflow/core/kernels/list_kernels.h.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering
from kexport.factory.lowerings._tensor_list import OPS, applies, emitting


def update(items: Tensor, index: Tensor, item: Tensor) -> Tensor:
    """The items, with the one of that index replaced."""
    import tensorflow as tf
    from tensorflow.compiler.tf2xla.ops import gen_xla_ops

    start = tf.stack([index, *[tf.constant(0)] * item.shape.rank])
    return gen_xla_ops.xla_dynamic_update_slice(items, tf.expand_dims(item, 0), start)


def _applies(op: Operation, inputs: Sequence[Any]) -> bool:
    """Not for a list that begins empty and grows by each step of a loop, which LiteRT fails to run."""
    return op.type != "EmptyTensorList" and applies(op, inputs)


LOWERING = Lowering("tensor_list_tflite", ("tflite",), OPS, emitting(update), _applies)
