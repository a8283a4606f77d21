import numpy as np
import pytest
import tensorflow as tf

X = np.random.default_rng(0).integers(0, 6, (1, 20))


@pytest.mark.parametrize("dtype", ["float32", "int32", "int64"])
@pytest.mark.parametrize("kind", [tf.int32, tf.int64])
def test_elements_places_and_counts_are_those_of_tensorflow(converted, dtype, kind):
    x = X.astype(dtype)
    function = lambda x: tf.unique_with_counts(tf.reshape(x, [-1]), kind)  # noqa: E731  called twice
    for values in converted(function, "tflite", x)[0]:
        for value, wanted in zip(values, function(x), strict=True):
            np.testing.assert_array_equal(value, wanted)
            assert value.dtype == wanted.dtype.as_numpy_dtype
