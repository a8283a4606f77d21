import numpy as np
import tensorflow as tf


def test_a_class_is_among_the_largest_unless_k_others_exceed_it(converted):
    x = np.array([[1, 3, 2], [1, 1, 1], [3, 2, 1], [np.inf, 1, 0], [1, 2, 3]], "float32")
    classes = np.array([2, 0, 2, 1, 7], "int32")
    results, _ = converted(lambda x, c: tf.math.in_top_k(c, x, 2), "onnx", x, classes)
    for (value,) in results:
        np.testing.assert_array_equal(value, [True, True, False, False, False])
