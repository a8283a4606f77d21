import numpy as np
import tensorflow as tf

X = np.float32(
    [[1, 2, 3, 2], [1, 2, 3, 2], [5, 5, 5, 5], [np.nan, 1, 2, 3], [np.inf, 1, 2, 3], [1, 2, 3, 4], [1, 2, 3, 4]]
)
TARGETS = np.int32([1, 0, 3, 3, 0, 9, -1])


def test_a_class_is_among_the_most_probable_ones(converted):
    results, _ = converted(lambda x, y: tf.math.in_top_k(y, x, 3), "tflite", X, TARGETS)
    for (value,) in results:
        np.testing.assert_array_equal(value, tf.math.in_top_k(TARGETS, X, 3))
        np.testing.assert_array_equal(value, [True, False, True, False, False, False, False])
