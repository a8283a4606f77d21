import numpy as np
import tensorflow as tf

from kexport.testing.closeness import EACH, assert_close

X = (10.0 ** np.linspace(-37.5, 37.9, 4001)).astype("float32").reshape(1, -1)


def test_the_reciprocal_root_is_right_from_the_smallest_to_two_to_the_126(converted):
    truth = 1 / np.sqrt(X.astype("float64"))
    results, ops = converted(tf.math.rsqrt, "tflite", X)
    assert not any("RSQRT" in op for op in ops)
    for (value,) in results:
        assert_close(value, truth, scale=EACH)


def test_it_is_infinite_at_zero_and_nan_below(converted):
    results, _ = converted(tf.math.rsqrt, "tflite", np.array([[0.0, -1.0, np.nan, 4.0]], "float32"))
    for (value,) in results:
        np.testing.assert_array_equal(value, np.array([[np.inf, np.nan, np.nan, 0.5]], "float32"))


def test_where_a_constant_keeps_it_from_zero_the_kernel_stays(converted):
    for function in (lambda x: tf.math.rsqrt(x * x + 1e-3), lambda x: tf.math.rsqrt(tf.maximum(x * x, 1e-12))):
        _, ops = converted(function, "tflite", X[:, :4])
        assert any("RSQRT" in op for op in ops)
