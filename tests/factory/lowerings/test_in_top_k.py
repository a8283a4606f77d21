import numpy as np
import tensorflow as tf

X = np.array(
    [[1, 2, 3, 2], [1, 2, 3, 2], [5, 5, 5, 5], [np.nan, 1, 2, 3], [np.inf, 1, 2, 3], [1, 2, 3, 4], [1, 2, 3, 4]],
    "float32",
)
TARGETS = np.array([1, 0, 3, 3, 0, 9, -1], "int32")


def test_a_class_is_among_the_most_probable_ones(converted):
    results, _ = converted(lambda x, y: tf.math.in_top_k(y, x, 3), "tflite", X, TARGETS)
    for (value,) in results:
        np.testing.assert_array_equal(value, tf.math.in_top_k(TARGETS, X, 3))
        np.testing.assert_array_equal(value, [True, False, True, False, False, False, False])


def test_a_class_is_among_the_largest_unless_k_others_exceed_it(converted):
    x = np.array([[1, 3, 2], [1, 1, 1], [3, 2, 1], [np.inf, 1, 0], [1, 2, 3]], "float32")
    classes = np.array([2, 0, 2, 1, 7], "int32")
    results, _ = converted(lambda x, c: tf.math.in_top_k(c, x, 2), "onnx", x, classes)
    for (value,) in results:
        np.testing.assert_array_equal(value, [True, True, False, False, False])
