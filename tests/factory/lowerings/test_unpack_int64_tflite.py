import numpy as np
import tensorflow as tf
from keras import ops

X = np.array([[0, 1, 0], [2, 0, 3]], "float32")


def test_long_integers_are_unpacked(converted):
    x = np.arange(6, dtype="int64").reshape(3, 2) + 2**40
    results, _ = converted(lambda x: tf.unstack(x, axis=1), "tflite", x)
    for values in results:
        np.testing.assert_array_equal(values, x.T)


def test_what_is_not_zero_is_found(converted):
    results, _ = converted(lambda x: list(ops.nonzero(x)), "tflite", X)
    for values in results:
        np.testing.assert_array_equal(values, np.nonzero(X))
