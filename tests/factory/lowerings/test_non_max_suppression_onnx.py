import numpy as np
import pytest
import tensorflow as tf

from kexport.errors import ExportError

BOXES = np.random.default_rng(5).uniform(0, 1, (12, 4)).astype("float32")
SCORES = np.random.default_rng(6).permutation(12).astype("float32") / 12


def _suppressed(sigma):
    return lambda boxes, scores: tf.image.non_max_suppression_with_scores(boxes, scores, 10, 0.5, 0.3, sigma)


def test_soft_suppression_is_refused_with_a_way_out_that_works(converted):
    with pytest.raises(ExportError, match=r"lowers no scores(.|\n)*NonMaxSuppressionV5(.|\n)*soft_nms_sigma=0"):
        converted(_suppressed(0.2), "onnx", BOXES, SCORES)
    places, _ = _suppressed(0.0)(BOXES, SCORES)
    for value, *_ in converted(_suppressed(0.0), "onnx", BOXES, SCORES)[0]:
        np.testing.assert_array_equal(value, places)
