import numpy as np
import tensorflow as tf

RNG = np.random.default_rng(0)
EDGES = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 2.0**-126, -(2.0**-126), 2.0**-127, 2.0**-149, 3.4028235e38]
BITS = np.concatenate([RNG.integers(-(2**31), 2**31, 20000), np.asarray(EDGES, "float32").view("int32")]).astype(
    "int32"
)
BITS = BITS[~np.isnan(BITS.view("float32")) | (BITS == 0x7FC00000)]


def test_bits_are_those_of_the_number(converted):
    numbers = BITS.view("float32")
    results, _ = converted(lambda x: tf.bitcast(x, tf.int32), "onnx", numbers)
    for (value,) in results:
        np.testing.assert_array_equal(value, BITS)


def test_numbers_are_those_of_the_bits(converted):
    results, _ = converted(lambda x: tf.bitcast(x, tf.float32), "onnx", BITS)
    for (value,) in results:
        np.testing.assert_array_equal(value, BITS.view("float32"))
        np.testing.assert_array_equal(np.signbit(value), np.signbit(BITS.view("float32")))
