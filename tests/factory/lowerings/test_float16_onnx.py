import numpy as np
import tensorflow as tf

X = np.array([[np.nan, np.inf, -np.inf, 0.0, -1.0, 6e-8, 1.0, 3.3, 65504.0]], "float16")


def test_float16_tells_what_is_finite(converted):
    results, _ = converted(lambda x: [tf.math.is_inf(x), tf.math.is_finite(x)], "onnx", X)
    for infinite, finite in results:
        np.testing.assert_array_equal(infinite, np.isinf(X))
        np.testing.assert_array_equal(finite, np.isfinite(X))
