"""Greedy decoding of CTC with any class as the blank one, as a sparse tensor; tf2onnx takes the last, TFLite has none.

Of each step within the sequence the largest class; repetitions are merged where asked for, blanks left out. What is
kept of a sequence moves to its front, in order; the score is minus the sum of the largest logits.
Source: Graves et al., Connectionist Temporal Classification, ICML 2006, 3.2; TensorFlow's `CTCGreedyDecoder`.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    logits, lengths = inputs
    batch, classes = (tf.shape(logits, out_type=tf.int64)[axis] for axis in (1, 2))
    blank = op.get_attr("blank_index")
    blank = classes + blank if blank < 0 else tf.constant(blank, tf.int64)
    within = tf.cast(tf.range(tf.shape(logits)[0]), tf.int64)[tf.newaxis] < tf.cast(lengths, tf.int64)[:, tf.newaxis]
    best = tf.transpose(tf.argmax(logits, -1))
    keep = within & tf.not_equal(best, blank)
    if op.get_attr("merge_repeated"):
        before = tf.concat([tf.fill(tf.stack([batch, 1]), tf.constant(-1, tf.int64)), best[:, :-1]], 1)
        keep &= tf.not_equal(best, before)
    count = tf.cast(keep, tf.int64)
    places = tf.where(keep)
    columns = tf.gather_nd(tf.cumsum(count, 1) - 1, places)
    indices = tf.stack([places[:, 0], columns], 1)
    longest = tf.maximum(tf.reduce_max(tf.reduce_sum(count, 1)), 0)
    score = tf.cast(tf.transpose(within), logits.dtype) * tf.reduce_max(logits, -1)
    return [
        indices,
        tf.gather_nd(best, places),
        tf.stack([batch, longest]),
        -tf.reduce_sum(score, 0)[:, tf.newaxis],
    ]


LOWERING = Lowering("ctc_greedy_decoder", ("onnx", "tflite"), ("CTCGreedyDecoder",), _emit)
