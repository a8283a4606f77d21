"""The largest of integers or float64, which tf2onnx compares as float32, so that close values are swapped.

Source: TensorFlow's `TopKV2`; https://onnx.ai/onnx/operators/onnx__TopK.html.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import DType, Operation, Tensor
from kexport.factory.lowerings._rule import Lowering
from kexport.factory.onnx_nodes import onnx_node


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    x, k = inputs
    values, places = op.outputs
    wide = tf.cast(x, _wide(x.dtype))
    shape = [*x.shape[:-1], tf.get_static_value(k)]
    count = tf.reshape(tf.cast(k, tf.int64), (1,))
    largest, at = onnx_node("TopK", [wide, count], [(wide.dtype, shape), (tf.int64, shape)])
    return [tf.cast(largest, values.dtype), tf.cast(at, places.dtype)]


def _wide(dtype: DType) -> Tensor:
    import tensorflow as tf

    if dtype.is_floating:
        return tf.float64
    return tf.int64 if dtype.size > 4 or dtype == tf.uint32 else tf.int32


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    return inputs[0].shape.rank is not None and (inputs[0].dtype.is_integer or inputs[0].dtype.name == "float64")


LOWERING = Lowering("top_k_onnx", ("onnx",), ("TopKV2",), _emit, _applies)
