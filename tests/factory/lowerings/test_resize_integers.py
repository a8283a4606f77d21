import numpy as np
import pytest
import tensorflow as tf

from kexport.testing.closeness import assert_close


@pytest.mark.parametrize("format_name", ["onnx", "tflite"])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32"])
def test_integers_are_resized_to_floats(converted, format_name, dtype):
    x = np.random.default_rng(0).integers(0, 256, (2, 5, 4, 3)).astype(dtype)
    results, _ = converted(lambda value: tf.image.resize(value, (10, 2)), format_name, x)
    for (value,) in results:
        assert value.dtype == np.float32
        truth = tf.image.resize(x.astype("float32"), (10, 2)).numpy()
        assert_close(value, truth, scale=255)


@pytest.mark.parametrize("format_name", ["onnx", "tflite"])
def test_the_nearest_integers_stay_integers(converted, format_name):
    x = np.array([0, 1, 254, 255], "uint8").reshape(1, 2, 2, 1)
    results, _ = converted(lambda value: tf.image.resize(value, (4, 4), "nearest"), format_name, x)
    for (value,) in results:
        np.testing.assert_array_equal(value, x.repeat(2, 1).repeat(2, 2))
