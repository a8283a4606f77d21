"""Counts of numbers in bins of one width, which both converters lack: each is compared with the number of every bin.

Numbers beyond the range are in the first or the last bin.
Source: TensorFlow, documentation of tf.histogram_fixed_width, and its kernel, which divides by the width of a bin.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    x, limits, count = inputs
    bins = tf.cast(count, tf.int32)
    width = (limits[1] - limits[0]) / tf.cast(bins, x.dtype)
    places = tf.floor((tf.reshape(x, [-1]) - limits[0]) / width)
    places = tf.cast(tf.minimum(tf.maximum(places, 0.0), tf.cast(bins - 1, x.dtype)), tf.int32)
    hits = tf.equal(places[:, None], tf.range(bins)[None])
    return [tf.reduce_sum(tf.cast(hits, op.outputs[0].dtype), 0)]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    return inputs[0].dtype.name == "float32"


LOWERING = Lowering("histogram", ("onnx", "tflite"), ("HistogramFixedWidth",), _emit, _applies)
