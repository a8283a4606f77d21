import numpy as np
import tensorflow as tf

from kexport.testing.closeness import assert_close

A, B = np.random.default_rng(0).normal(size=(2, 4, 6, 3)).astype("float32")


def test_the_cross_product_is_that_of_float64(converted):
    results, _ = converted(tf.linalg.cross, "tflite", A, B)
    for (value,) in results:
        assert_close(value, np.cross(A.astype("float64"), B.astype("float64")), scale=1)
