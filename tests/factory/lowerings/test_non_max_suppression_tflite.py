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


TIED = {
    "all alike": (np.random.default_rng(1).uniform(0, 1, (12, 4)), np.full(12, 0.6)),
    "no area": (np.ones((12, 4)), np.ones(12)),
    "apart, four saturated": (np.array([[k, 0, k + 0.9, 1] for k in range(12)]), np.r_[[1.0] * 4, np.arange(8) / 12]),
    "some have no area": (np.where(np.arange(12)[:, None] % 3, BOXES, BOXES[:, [0, 1, 0, 3]]), np.ones(12)),
    "zeros": (np.zeros((12, 4)), np.arange(12)),
    "one box": (np.tile([0, 0, 1, 1], (12, 1)), np.repeat(np.arange(6) / 6, 2)),
    "nothing above the threshold": (np.ones((12, 4)), np.zeros(12)),
    "turned corners": (np.array([[1, 1, 0, 0], [0.5, 1, 0, 0.2], [0, 0, 1, 0.9]] * 4), np.arange(12) / 12),
}


@pytest.mark.parametrize("case", TIED)
@pytest.mark.parametrize("sigma", [0.0, 0.5])
def test_of_boxes_with_one_score_the_first_is_taken(converted, case, sigma):
    boxes, scores = (array.astype("float32") for array in TIED[case])

    def suppressed(boxes, scores):
        return tf.image.non_max_suppression_with_scores(boxes, scores, 5, 0.5, 0.05, sigma)

    places, kept = suppressed(boxes, scores)
    for got_places, got_kept in converted(suppressed, "tflite", boxes, scores)[0]:
        np.testing.assert_array_equal(got_places, places)
        assert_close(got_kept, kept)


def test_soft_suppression_takes_what_tensorflow_takes(converted):
    rng = np.random.default_rng(2)
    boxes, scores = rng.uniform(0, 1, (30, 4)).astype("float32"), rng.uniform(0, 1, 30).astype("float32")
    for most, sigma, threshold in ((30, 0.1, 0.2), (7, 2.0, float("-inf"))):

        def suppressed(boxes, scores, most=most, sigma=sigma, threshold=threshold):
            return tf.image.non_max_suppression_with_scores(boxes, scores, most, 0.9, threshold, sigma)

        places, kept = suppressed(boxes, scores)
        for got_places, got_kept in converted(suppressed, "tflite", boxes, scores)[0]:
            np.testing.assert_array_equal(got_places, places)
            assert_close(got_kept, kept)
