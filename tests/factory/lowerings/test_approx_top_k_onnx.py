import numpy as np
import tensorflow as tf

X = np.random.default_rng(0).permutation(60).reshape(3, 20).astype("float32")


def test_the_exact_ones_are_taken_as_on_a_cpu(converted):
    results, _ = converted(lambda x: tf.math.approx_max_k(x, 4), "onnx", X)
    for values, places in results:
        wanted, where = tf.math.approx_max_k(X, 4)
        np.testing.assert_array_equal(values, wanted)
        np.testing.assert_array_equal(places, where)
