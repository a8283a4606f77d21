import numpy as np
import pytest
import tensorflow as tf

KINDS = ["int8", "int16", "uint8", "uint16", "uint32"]


@pytest.mark.parametrize("dtype", KINDS)
def test_sums_and_products_wrap_as_their_dtype_does(converted, dtype):
    x = np.array([[100, 27, 3], [1, 2, 120]]).astype(dtype)
    functions = [tf.reduce_sum, tf.reduce_prod, tf.cumsum, tf.math.cumprod]
    results, _ = converted(lambda x: [function(x, 1) for function in functions], "onnx", x)
    truth = [np.sum(x, 1, dtype), np.prod(x, 1, dtype), np.cumsum(x, 1, dtype), np.cumprod(x, 1, dtype)]
    for values in results:
        for value, expected in zip(values, truth, strict=True):
            assert value.dtype == dtype
            np.testing.assert_array_equal(value, expected)


@pytest.mark.parametrize("dtype", ["bool", *KINDS])
def test_the_largest_and_smallest_of_every_dtype_are_found_first_of_equals(converted, dtype):
    x = np.array([[0, 1, 1], [1, 0, 0]]).astype(dtype)
    results, _ = converted(lambda x: [tf.argmax(x, 1), tf.argmin(x, 1)], "onnx", x)
    for largest, smallest in results:
        np.testing.assert_array_equal(largest, x.argmax(1))
        np.testing.assert_array_equal(smallest, x.argmin(1))


def test_powers_and_relu_of_small_integers(converted):
    x = np.array([[-3, 2, 5]], "int8")
    results, _ = converted(lambda x: [tf.pow(x, tf.constant([2], tf.int8)), tf.nn.relu(x)], "onnx", x)
    for power, positive in results:
        np.testing.assert_array_equal(power, x**2)
        np.testing.assert_array_equal(positive, x.clip(0))


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int16", "uint32", "uint64"])
@pytest.mark.parametrize("mode", ["constant", "reflect", "symmetric"])
def test_padding_keeps_every_bit(converted, dtype, mode):
    high = 1 if dtype == "bool" else np.iinfo(dtype).max
    x = np.array([[0, 1, high], [1, high, 0]], dtype)
    paddings, filler = [(0, 0), (2, 1)], x[0, 2]
    options = {"constant_values": filler} if mode == "constant" else {}
    results, _ = converted(lambda x: tf.pad(x, paddings, mode, **options), "onnx", x)
    for (value,) in results:
        np.testing.assert_array_equal(value, np.pad(x, paddings, mode, **options))


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "uint32"])
def test_the_larger_and_the_smaller(converted, dtype):
    limits = np.iinfo(dtype)
    x, other = np.array([[limits.min, 3, limits.max, 5]], dtype), np.array([[1, limits.max, 2, 5]], dtype)

    def function(x, other):
        reduced = tf.reduce_max(x, 1), tf.reduce_min(x, 1, keepdims=True)
        return [tf.maximum(x, other), tf.minimum(x, other), *reduced]

    results, _ = converted(function, "onnx", x, other)
    for values in results:
        for value, expected in zip(values, function(x, other), strict=True):
            np.testing.assert_array_equal(value, expected)
            assert value.dtype == dtype
