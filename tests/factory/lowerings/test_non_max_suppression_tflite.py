import numpy as np
import pytest
import tensorflow as tf

from kexport.testing.closeness import assert_close

RANDOM = np.random.default_rng(5)
CORNERS = RANDOM.uniform(0, 1, (12, 2))
BOXES = np.concatenate([CORNERS, CORNERS + RANDOM.uniform(0.2, 0.5, (12, 2))], 1).astype("float32")
SCORES = RANDOM.permutation(12).astype("float32") / 12


@pytest.mark.parametrize("lowest", [-1.0, 0.4, 0.95])
def test_as_many_boxes_are_kept_as_tensorflow_keeps(converted, lowest):
    def kept(boxes, scores):
        return tf.gather(boxes, tf.image.non_max_suppression(boxes, scores, 10, 0.3, lowest))

    results, _ = converted(kept, "tflite", BOXES, SCORES)
    for (value,) in results:
        np.testing.assert_array_equal(value, kept(BOXES, SCORES))


def test_scores_that_are_lowered_softly_are_kept_with_their_boxes(converted):
    def kept(boxes, scores):
        return tf.image.non_max_suppression_with_scores(boxes, scores, 10, 0.5, 0.3, 0.2)

    wanted = kept(BOXES, SCORES)
    results, _ = converted(kept, "tflite", BOXES, SCORES)
    for places, scores in results:
        np.testing.assert_array_equal(places, wanted[0])
        assert_close(scores, wanted[1], ulps=16)
