import numpy as np
import pytest
import tensorflow as tf


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64"])
def test_negative_integers_are_floored_over_the_whole_range(converted, dtype):
    info = np.iinfo(dtype)
    x = np.array([[info.min, info.min + 1, -7, -6, -1, 0, 1, 6, 7, info.max]], dtype)
    y = np.array([[3], [-3], [2], [-2], [7], [-7], [1], [info.max], [info.min]], dtype)
    x = np.repeat(x, len(y), 0)
    results, _ = converted(lambda x, y: [x // y, x % y], "onnx", x, y)
    for quotient, remainder in results:
        np.testing.assert_array_equal(quotient, x // y)
        np.testing.assert_array_equal(remainder, x % y)


def test_unsigned_integers_divide_as_they_are(converted):
    x, y = np.array([[0, 1, 7, 255]], "uint8"), np.array([[3]], "uint8")
    results, _ = converted(lambda x, y: [x // y, x % y], "onnx", x, y)
    for quotient, remainder in results:
        np.testing.assert_array_equal(quotient, x // y)
        np.testing.assert_array_equal(remainder, x % y)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_remainder_of_floats_is_exact_for_any_quotient(converted, dtype):
    x = np.array([[1e8 + 8, -7.25, 7.25, -1e7, 3e20, 1e-30, -1e-30, 0.0, 5.5, -5.5, 4.0]], dtype)
    y = np.array([[3], [-3], [2.5], [-1e-3], [1e10]], dtype)
    results, _ = converted(tf.math.floormod, "onnx", np.repeat(x, len(y), 0), y)
    for (value,) in results:
        np.testing.assert_array_equal(value, np.mod(x, y))


def test_half_of_an_axis_is_one_division(converted):
    x = np.arange(24, dtype="float32").reshape(4, 6)
    results, operators = converted(lambda x: x[: tf.shape(x)[0] // 2], "onnx", x, dynamic=True)
    assert "Mod" not in operators
    for (value,) in results:
        np.testing.assert_array_equal(value, x[:2])
