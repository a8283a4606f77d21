"""Scattering that keeps the largest or the smallest, or subtracts, which TFLite lacks; every duplicate counts.

The indexed axes become one, an index the place in it, and the updates of one place a segment, whose extremum is then
compared with what was there. Subtracting is adding the negative.
Source: TensorFlow's `TensorScatterMax`, `TensorScatterMin` and `TensorScatterSub`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._diagonal import sizes
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    x, indices, updates = inputs
    if op.type == "TensorScatterSub":
        return [tf.tensor_scatter_nd_add(x, indices, -updates)]
    depth, lengths = indices.shape[-1], sizes(x)
    strides = tf.stack([tf.cast(math.prod(lengths[axis + 1 : depth]), indices.dtype) for axis in range(depth)])
    places = tf.reshape(tf.reduce_sum(indices * strides, -1), [-1])
    rest = math.prod(lengths[depth:])
    rows, flat = tf.reshape(updates, tf.stack([-1, rest])), tf.reshape(x, tf.stack([-1, rest]))
    largest = op.type == "TensorScatterMax"
    segment = tf.math.unsorted_segment_max if largest else tf.math.unsorted_segment_min
    extrema = segment(rows, places, tf.cast(math.prod(lengths[:depth]), tf.int32))
    kept = tf.maximum(flat, extrema) if largest else tf.minimum(flat, extrema)
    return [tf.reshape(kept, tf.stack(lengths))]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    return bool(inputs[0].shape.rank) and inputs[1].shape.rank is not None and inputs[1].shape[-1] is not None


LOWERING = Lowering(
    "scatter_extremum_tflite",
    ("tflite",),
    ("TensorScatterMax", "TensorScatterMin", "TensorScatterSub"),
    _emit,
    _applies,
)
