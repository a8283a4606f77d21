import numpy as np
import pytest
import tensorflow as tf

X = np.zeros((2, 5), "float32")


@pytest.mark.parametrize(("start", "step"), [(0, 1), (3, 1), (-2, 1), (9, -1)])
def test_a_range_of_long_integers_is_counted(converted, start, step):
    """The reference kernels have none, and their file could not be loaded."""

    def counted(x):
        return tf.range(start, start + step * tf.shape(x, out_type=tf.int64)[1], step)

    results, _ = converted(counted, "tflite", X, dynamic=True)
    for (value,) in results:
        assert value.dtype == np.int64
        np.testing.assert_array_equal(value, start + step * np.arange(5))
