import numpy as np
import pytest
import tensorflow as tf

X = np.arange(2 * 3 * 4, dtype="float32").reshape(2, 3, 4)


@pytest.mark.parametrize("dynamic", [False, True])
@pytest.mark.parametrize("times", [(1, 2, 1), (1, 11, 1), (2, 1, 1), (2, 3, 2), (1, 1, 2)])
def test_a_tile_before_what_broadcasts_stays(converted, times, dynamic):
    results, _ = converted(lambda x: tf.tile(x, times) * 0.5, "tflite", X, dynamic=dynamic)
    for (value,) in results:
        np.testing.assert_array_equal(value, np.tile(X, times) * 0.5)
