import numpy as np
import pytest
import tensorflow as tf


@pytest.mark.parametrize("shape", [(2, 3, 5), (2, 3, 4, 5), (2, 3, 4, 5, 6)])
def test_a_bias_is_added_along_the_second_axis(converted, shape):
    x, bias = np.random.default_rng(0).normal(size=shape).astype("float32"), np.array([1, -2, 1e30], "float32")
    results, _ = converted(
        lambda value: tf.nn.bias_add(value, bias, "NC..." if len(shape) != 4 else "NCHW"), "tflite", x
    )
    for (value,) in results:
        np.testing.assert_array_equal(value, x + bias.reshape(-1, *[1] * (len(shape) - 2)))
