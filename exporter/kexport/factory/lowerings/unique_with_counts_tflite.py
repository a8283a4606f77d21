"""Different elements and how often each occurs, which TFLite lacks: its elements, and sums of ones for each.

Source: TensorFlow, documentation of tf.unique_with_counts.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    different, places = tf.unique(inputs[0], tf.int32)
    counts = tf.math.unsorted_segment_sum(tf.ones_like(places), places, tf.size(different))
    return [different, *(tf.cast(each, op.get_attr("out_idx")) for each in (places, counts))]


LOWERING = Lowering("unique_with_counts_tflite", ("tflite",), ("UniqueWithCounts",), _emit)
