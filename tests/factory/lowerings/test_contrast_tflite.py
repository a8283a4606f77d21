import numpy as np
import pytest
import tensorflow as tf

from kexport.testing.closeness import assert_close

X = np.random.default_rng(0).uniform(0, 1, (2, 6, 7, 3)).astype("float32")


@pytest.mark.parametrize("factor", [0.0, 0.4, 1.7])
def test_contrast_is_that_of_tensorflow(converted, factor):
    results, _ = converted(lambda x: tf.image.adjust_contrast(x, factor), "tflite", X)
    for (value,) in results:
        assert_close(value, np.asarray(tf.image.adjust_contrast(X, factor)), ulps=8)


def test_contrast_of_bytes_is_that_of_tensorflow(converted):
    x = (X * 200 + 20).astype("uint8")
    results, _ = converted(lambda x: tf.image.adjust_contrast(x, 1.7), "tflite", x)
    for (value,) in results:
        np.testing.assert_array_equal(value, tf.image.adjust_contrast(x, 1.7))
