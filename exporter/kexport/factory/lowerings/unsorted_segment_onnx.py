"""Reduction by segments in any order, by scattering rows onto one row a segment.

tf2onnx counts negative segments, which TensorFlow leaves out, from the end: here they fall onto one more row, which is
cut off. A segment without rows has the neutral element: 0, 1, or the lowest or highest finite number.
Source: TensorFlow's `UnsortedSegmentSum` and its kin; https://onnx.ai/onnx/operators/onnx__ScatterElements.html.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import DType, Operation, Tensor
from kexport.factory.lowerings._rule import Lowering
from kexport.factory.lowerings._scatter import scattered

_REDUCTIONS = {"Sum": "add", "Prod": "mul", "Max": "max", "Min": "min"}


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    data, segments, count = inputs
    kind = op.type.removeprefix("UnsortedSegment")
    count = tf.cast(count, tf.int64)
    inner = tf.shape(data, out_type=tf.int64)[segments.shape.rank :]
    places = tf.reshape(tf.cast(segments, tf.int64), (-1,))
    places = tf.where(places < 0, count, places)
    size = tf.reduce_prod(inner)
    updates = tf.reshape(data, tf.stack([tf.size(places, tf.int64), size]))
    rows = tf.fill(tf.stack([count + 1, size]), tf.constant(_neutral(kind, data.dtype), data.dtype))
    reduced = scattered(rows, places, updates, _REDUCTIONS[kind])[:count]
    shaped = tf.reshape(reduced, tf.concat([tf.reshape(count, (1,)), inner], 0))
    return [tf.ensure_shape(shaped, [tf.get_static_value(inputs[2]), *data.shape[segments.shape.rank :]])]


def _neutral(kind: str, dtype: DType) -> float:
    return {"Sum": 0, "Prod": 1, "Max": dtype.min, "Min": dtype.max}[kind]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    return inputs[0].shape.rank is not None and inputs[1].shape.rank is not None


LOWERING = Lowering(
    "unsorted_segment_onnx", ("onnx",), tuple(f"UnsortedSegment{kind}" for kind in _REDUCTIONS), _emit, _applies
)
