import numpy as np
import pytest
import tensorflow as tf

X = np.array([-300, -1.5, 0, 7.9, 254.5, 255.5, 1e9], "float32")


@pytest.mark.parametrize("dtype", [tf.uint8, tf.int8, tf.int16])
def test_a_saturating_cast_is_that_of_tensorflow(converted, dtype):
    results, _ = converted(lambda x: tf.saturate_cast(x, dtype), "tflite", X)
    for (value,) in results:
        np.testing.assert_array_equal(value, tf.saturate_cast(X, dtype))
