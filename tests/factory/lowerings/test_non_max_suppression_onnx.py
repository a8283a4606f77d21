import numpy as np
import pytest
import tensorflow as tf

from kexport.testing.closeness import assert_close

BOXES = np.random.default_rng(5).uniform(0, 1, (12, 4)).astype("float32")
SCORES = np.random.default_rng(6).permutation(12).astype("float32") / 12


def _suppressed(sigma):
    return lambda boxes, scores: tf.image.non_max_suppression_with_scores(boxes, scores, 10, 0.5, 0.3, sigma)


@pytest.mark.parametrize("sigma", [0.0, 0.2, 0.7])
def test_boxes_and_lowered_scores_are_those_of_tensorflow(converted, sigma):
    places, scores = _suppressed(sigma)(BOXES, SCORES)
    for value, kept in converted(_suppressed(sigma), "onnx", BOXES, SCORES)[0]:
        np.testing.assert_array_equal(value, places)
        assert_close(kept, np.asarray(scores))
