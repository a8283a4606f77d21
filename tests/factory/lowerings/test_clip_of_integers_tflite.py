import numpy as np
import pytest
import tensorflow as tf

X = np.arange(-4, 11, dtype="int32").reshape(3, 5)
CLIPS = {
    "clip": lambda x: tf.clip_by_value(x, tf.cast(0, x.dtype), tf.cast(6, x.dtype)),
    "relu": lambda x: tf.nn.relu(tf.minimum(x, tf.cast(6, x.dtype))),
    "other order": lambda x: tf.minimum(tf.maximum(x, tf.cast(0, x.dtype)), tf.cast(6, x.dtype)),
    "used twice": lambda x: (lambda low: tf.maximum(low, tf.cast(0, x.dtype)) + low)(
        tf.minimum(x, tf.cast(6, x.dtype))
    ),
    "other bounds": lambda x: tf.clip_by_value(x, tf.cast(-1, x.dtype), tf.cast(6, x.dtype)),
    "rows": lambda x: tf.maximum(tf.minimum(x, tf.fill([5], tf.cast(6, x.dtype))), tf.fill([5], tf.cast(0, x.dtype))),
}


@pytest.mark.parametrize("dtype", ["int32", "int64", "int16"])
@pytest.mark.parametrize("name", CLIPS)
def test_integers_between_0_and_6(converted, name, dtype):
    def function(x):
        return CLIPS[name](tf.cast(x, dtype))

    results, _ = converted(function, "tflite", X)
    for (value,) in results:
        np.testing.assert_array_equal(value, function(X))
