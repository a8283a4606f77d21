import numpy as np
import pytest
import tensorflow as tf

X = np.arange(60, dtype="int32").reshape(3, 4, 5)


@pytest.mark.parametrize("format_name", ["onnx", "tflite"])
@pytest.mark.parametrize("dynamic", [False, True])
@pytest.mark.parametrize(
    ("shift", "axis"), [(1, 0), (-1, 1), (2, -1), (0, 1), (13, 2), (-13, 2), ((1, -2), (1, 2)), ((1, 1), (2, 2))]
)
def test_an_axis_is_rolled(converted, shift, axis, dynamic, format_name):
    results, _ = converted(lambda x: tf.roll(x, shift, axis), format_name, X, dynamic=dynamic)
    for (value,) in results:
        np.testing.assert_array_equal(value, np.roll(X, shift, axis))


@pytest.mark.parametrize("format_name", ["onnx", "tflite"])
def test_the_shift_may_be_an_input(converted, format_name):
    results, _ = converted(lambda x, n: tf.roll(x, n[0], 1), format_name, X, np.array([-3], "int32"))
    for (value,) in results:
        np.testing.assert_array_equal(value, np.roll(X, -3, 1))


@pytest.mark.parametrize("format_name", ["onnx", "tflite"])
@pytest.mark.parametrize("shift", [-2, 3])
def test_an_axis_of_one_stays(converted, format_name, shift):
    """TFLite made the whole of an empty slice of it: a second channel."""
    channel = np.arange(12, dtype="float32").reshape(3, 4, 1)
    results, _ = converted(lambda x: tf.roll(x, [shift, 1], [2, 1]), format_name, channel)
    for (value,) in results:
        np.testing.assert_array_equal(value, np.roll(channel, 1, 1))
