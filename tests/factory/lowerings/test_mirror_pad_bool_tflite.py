import numpy as np
import pytest
import tensorflow as tf

X = np.random.default_rng(0).random((3, 4, 5)) > 0.5


@pytest.mark.parametrize("mode", ["reflect", "symmetric"])
def test_bools_are_mirrored(converted, mode):
    paddings = [(0, 0), (1, 2), (3, 0)]
    results, _ = converted(lambda x: tf.pad(x, paddings, mode), "tflite", X)
    for (value,) in results:
        np.testing.assert_array_equal(value, np.pad(X, paddings, mode))
