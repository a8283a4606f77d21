"""Lists of tensors, which loops read from and write to: TFLite has them for static shapes only, so they are tensors.

A list of n items of shape s is one tensor of shape (n, *s): reading item i gathers it, writing it updates a slice.
A list that nothing has been written to holds zeros, as TensorFlow says of it. Items of one list have one shape here:
where they had not, no tensor could hold them, and the runtime stops at the first that differs.
Source: tensorflow/core/kernels/list_kernels.h.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kexport.errors import ExportError
from kexport.factory.lists import Reserved, zeros
from kexport.factory.lowerings._lowering import Lowering


def _emit(op: Any, inputs: Sequence[Any]) -> Sequence[Any]:
    if op.type != "TensorListSetItem" and any(isinstance(given, Reserved) for given in inputs):
        raise ExportError("a list of tensors is used before anything tells the shape of its items", got=op.name)
    return [_EMIT[op.type](op, *inputs)]


def _reserve(op: Any, item_shape: Any, count: Any) -> Any:
    import tensorflow as tf

    dtype = tf.as_dtype(op.get_attr("element_dtype"))
    static = _static_shape(item_shape)
    if static is None or None in static:
        return Reserved(count, dtype)
    return zeros(count, static, dtype)


def _static_shape(item_shape: Any) -> list[int | None] | None:
    """Sizes of an item, as far as they are known; None where even their number is not."""
    from tensorflow.python.framework import tensor_util

    shape = tensor_util.constant_value_as_shape(item_shape) if item_shape.shape.rank == 1 else None
    return None if shape is None or shape.rank is None else shape.as_list()


def _set_item(op: Any, items: Any, index: Any, item: Any) -> Any:
    import tensorflow as tf
    from tensorflow.compiler.tf2xla.ops import gen_xla_ops

    if isinstance(items, Reserved):
        items = items.dense(_sizes(item))
    start = tf.stack([index, *[tf.constant(0)] * item.shape.rank])
    return gen_xla_ops.xla_dynamic_update_slice(items, tf.expand_dims(item, 0), start)


def _sizes(item: Any) -> list[Any]:
    import tensorflow as tf

    dynamic = tf.shape(item)
    return [dynamic[axis] if size is None else size for axis, size in enumerate(item.shape.as_list())]


def _get_item(op: Any, items: Any, index: Any, item_shape: Any) -> Any:
    import tensorflow as tf

    return tf.gather(items, index)


def _length(op: Any, items: Any) -> Any:
    import tensorflow as tf

    return tf.shape(items)[0]


def _gather(op: Any, items: Any, indices: Any, item_shape: Any) -> Any:
    import tensorflow as tf

    return tf.gather(items, indices)


_EMIT = {
    "TensorListReserve": _reserve,
    "TensorListFromTensor": lambda op, tensor, item_shape: tensor,
    "TensorListStack": lambda op, items, item_shape: items,
    "TensorListSetItem": _set_item,
    "TensorListGetItem": _get_item,
    "TensorListLength": _length,
    "TensorListGather": _gather,
}

LOWERING = Lowering("tensor_list", ("tflite",), tuple(_EMIT), _emit)
