import numpy as np
import pytest
import tensorflow as tf

RNG = np.random.default_rng(0)
X = RNG.normal(size=(2, 7, 8, 3)).astype("float32") - 5  # below 0, which a border must not be
KERNEL = RNG.normal(size=(3, 2, 3)).astype("float32")


@pytest.mark.parametrize("format_name", ["onnx", "tflite"])
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("operation", [tf.nn.dilation2d, tf.nn.erosion2d])
@pytest.mark.parametrize("dynamic", [False, True])
def test_pixels_are_those_of_tensorflow(converted, format_name, padding, operation, dynamic):
    function = lambda x: operation(x, KERNEL, [1, 2, 1, 1], padding, "NHWC", [1, 1, 2, 1])  # noqa: E731  called twice
    fixed = (lambda x: function(tf.ensure_shape(x, (None, None, None, 3)))) if dynamic else function
    results, _ = converted(fixed, format_name, X, dynamic=dynamic)
    for (value,) in results:
        np.testing.assert_array_equal(value, function(X))
