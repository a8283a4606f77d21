import numpy as np
import pytest
import tensorflow as tf

X = np.arange(120, dtype="float32").reshape(2, 3, 4, 5)


@pytest.mark.parametrize("axes", [(0, 2), (-1, 1), (3, 0), (1, 2), (0, 1, 3)])
def test_axes_that_are_no_neighbours_are_reversed(converted, axes):
    results, _ = converted(lambda x: tf.reverse(x, axes), "tflite", X)
    for (value,) in results:
        np.testing.assert_array_equal(value, np.flip(X, axes))
