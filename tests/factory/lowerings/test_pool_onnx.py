import numpy as np
import pytest
import tensorflow as tf

from kexport.testing.closeness import assert_close


@pytest.mark.parametrize("length", [6, 7, 8, 9])
def test_a_stride_may_be_longer_than_the_window_where_sizes_are_dynamic(converted, length):
    x = np.random.default_rng(0).normal(-9, 1, (2, length, length + 1, 3)).astype("float32")

    def pools(value):
        value = tf.ensure_shape(value, (None, None, None, 3))
        return [pool(value, 2, 3, "SAME") for pool in (tf.nn.max_pool2d, tf.nn.avg_pool2d)]

    truth = [value.numpy() for value in pools(tf.constant(x, tf.float64))]
    results, _ = converted(pools, "onnx", x, dynamic=True)
    for maximum, mean in results:
        np.testing.assert_array_equal(maximum, truth[0].astype("float32"))
        assert_close(mean, truth[1], ulps=16, scale=9)
