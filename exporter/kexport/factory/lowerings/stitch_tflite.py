"""Rows put together by places that are computed, as after a mixture of experts, which TFLite lacks.

Each place looks up the last row that is for it. Places that are known are those of `shape_gradients`.
Source: TensorFlow, documentation of tf.dynamic_stitch.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._numbered_rows import as_rows
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    given, data = inputs[: len(inputs) // 2], inputs[len(inputs) // 2 :]
    places = tf.concat([tf.reshape(each, [-1]) for each in given], 0)
    rows = tf.concat([as_rows(*pair) for pair in zip(data, given, strict=True)], 0)
    size = tf.reduce_max(tf.concat([places, [-1]], 0)) + 1
    last = tf.math.unsorted_segment_max(tf.range(tf.size(places)), places, size)
    return [tf.gather(rows, tf.maximum(last, 0))]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    return all(tensor.shape.rank is not None for tensor in inputs)


LOWERING = Lowering("stitch_tflite", ("tflite",), ("DynamicStitch", "ParallelDynamicStitch"), _emit, _applies)
