"""Running logarithms of sums of exponentials, which both converters lack: of each element, over those that come before.

Elements that do not count are below all others, and the largest of those that do is taken out of the exponentials.
Source: TensorFlow, documentation of tf.math.cumulative_logsumexp.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._diagonal import sizes
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    x, rank = inputs[0], inputs[0].shape.rank
    axis = int(tf.get_static_value(inputs[1])) % rank
    order = [*(other for other in range(rank) if other != axis), axis]
    last = tf.transpose(x, order)
    places = tf.range(sizes(last)[-1])
    own, other = tf.expand_dims(places, 1), tf.expand_dims(places, 0)
    before = tf.greater(other, own) if op.get_attr("reverse") else tf.less(other, own)
    counted = before if op.get_attr("exclusive") else tf.logical_or(before, tf.equal(own, other))
    lowest = tf.constant(x.dtype.min, x.dtype)
    terms = tf.where(counted, tf.expand_dims(last, -2), lowest)
    largest = tf.reduce_max(terms, -1, keepdims=True)
    total = tf.reduce_sum(tf.where(counted, tf.exp(terms - largest), tf.zeros_like(terms)), -1)
    summed = largest[..., 0] + tf.math.log(total)
    return [tf.transpose(summed, [order.index(place) for place in range(rank)])]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    import tensorflow as tf

    x, axis = inputs
    return x.dtype.name == "float32" and bool(x.shape.rank) and tf.get_static_value(axis) is not None


LOWERING = Lowering("cumulative_logsumexp", ("onnx", "tflite"), ("CumulativeLogsumexp",), _emit, _applies)
