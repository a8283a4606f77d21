import numpy as np
import pytest
import tensorflow as tf
from keras import ops

BINARY = {"bitwise_and": np.bitwise_and, "bitwise_or": np.bitwise_or, "bitwise_xor": np.bitwise_xor}
TYPES = ["int32", "int64", "int8", "int16", "uint8"]

SIGNED = np.array([[0.0, -0.0, 1e-30, -1e-30], [np.inf, -np.inf, 3e38, -3e38], [1.0, -0.0, 0.0, -1.0]], "float32")


def _pairs(dtype):
    limits = np.iinfo(dtype)
    random = np.random.default_rng(0).integers(limits.min, limits.max, 40, dtype, endpoint=True)
    ends = [limits.min, limits.min + 1, limits.max, limits.max - 1, 0, 1, limits.max // 2, limits.max // 2 + 1]
    values = np.concatenate([random, np.array([*ends, *({-1, -2} if limits.min else {2, 3})], dtype)])
    return [pair.ravel() for pair in np.meshgrid(values, values)]


@pytest.mark.parametrize("dtype", TYPES)
def test_bits_are_combined_rightly_for_all_integers(converted, dtype):
    a, b = _pairs(dtype)
    results, _ = converted(lambda a, b: [getattr(tf.bitwise, name)(a, b) for name in BINARY], "tflite", a, b)
    for values in results:
        for value, truth in zip(values, BINARY.values(), strict=True):
            np.testing.assert_array_equal(value, truth(a, b))


@pytest.mark.parametrize("dtype", TYPES)
def test_bits_are_inverted(converted, dtype):
    a, _ = _pairs(dtype)
    results, _ = converted(tf.bitwise.invert, "tflite", a)
    for (value,) in results:
        np.testing.assert_array_equal(value, ~a)


@pytest.mark.parametrize("dtype", ["int32", "int8", "uint8"])
def test_bits_are_shifted(converted, dtype):
    a, b = _pairs(dtype)
    n = (b % np.array(np.iinfo(dtype).bits, dtype)).astype(dtype)
    results, _ = converted(lambda a, n: [tf.bitwise.left_shift(a, n), tf.bitwise.right_shift(a, n)], "tflite", a, n)
    for left, right in results:
        np.testing.assert_array_equal(left, np.left_shift(a, n))
        np.testing.assert_array_equal(right, np.right_shift(a, n))


def test_the_sign_of_zero_is_seen(converted):
    results, operators = converted(ops.signbit, "tflite", SIGNED)
    assert operators == {"BITCAST v1", "LESS v1"}
    for (value,) in results:
        np.testing.assert_array_equal(value, np.signbit(SIGNED))


def test_the_smallest_and_largest_of_floats_are_found(converted):
    results, _ = converted(lambda x: [ops.argmax(x, -1), ops.argmin(x, -1), ops.argmax(x)], "tflite", SIGNED)
    for largest, smallest, of_all in results:
        np.testing.assert_array_equal(largest, [2, 0, 0])
        np.testing.assert_array_equal(smallest, [3, 1, 3])
        assert of_all == 4
