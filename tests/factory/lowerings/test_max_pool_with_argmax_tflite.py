import numpy as np
import pytest
import tensorflow as tf

X = np.random.default_rng(0).integers(-9, 0, (2, 7, 8, 3)).astype("float32")  # equal ones, and none above a border of 0


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize(("taps", "steps"), [((2, 2), (2, 2)), ((3, 2), (1, 2))])
@pytest.mark.parametrize("with_batch", [False, True])
@pytest.mark.parametrize("dynamic", [False, True])
def test_maxima_and_places_are_those_of_tensorflow(converted, padding, taps, steps, with_batch, dynamic):
    def pooled(x):
        x = tf.ensure_shape(x, (None, None, None, 3)) if dynamic else x
        return tf.nn.max_pool_with_argmax(x, taps, steps, padding, include_batch_in_index=with_batch)

    x = X if dynamic or not with_batch else X[:1]
    for values in converted(pooled, "tflite", x, dynamic=dynamic)[0]:
        for value, wanted in zip(values, pooled(x), strict=True):
            np.testing.assert_array_equal(value, wanted)
            assert value.dtype == wanted.dtype.as_numpy_dtype
