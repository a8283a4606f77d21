"""Scattering along the first axis with a reduction; lowerings for ONNX share it.

`ScatterND` would take whole rows, but onnxruntime runs it in several threads, which race for a place that occurs twice.
"""

from __future__ import annotations

from kexport.factory.graph.protocols import DType, Tensor
from kexport.factory.onnx_nodes import onnx_node


def scattered(rows: Tensor, places: Tensor, updates: Tensor, reduction: str) -> Tensor:
    """`rows` (n, m) with `updates` (k, m) added, or otherwise reduced, into the rows at `places` (k)."""
    import tensorflow as tf

    dtype, carrier = rows.dtype, _carrier(rows.dtype)
    places = tf.broadcast_to(tf.expand_dims(tf.cast(places, tf.int64), 1), tf.shape(updates))
    given = [tf.cast(rows, carrier), places, tf.cast(updates, carrier)]
    (result,) = onnx_node("ScatterElements", given, [(carrier, rows.shape)], {"axis": 0, "reduction": reduction})
    return tf.cast(result, dtype)


def _carrier(dtype: DType) -> DType:
    """The type in which onnxruntime has a kernel for it."""
    import tensorflow as tf

    if dtype in (tf.float32, tf.float64, tf.int32, tf.int64):
        return dtype
    if dtype.is_floating:
        return tf.float32
    return tf.int64 if dtype.size > 2 else tf.int32
