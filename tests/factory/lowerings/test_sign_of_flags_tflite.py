import numpy as np
import pytest
import tensorflow as tf

X = np.random.default_rng(0).uniform(-1, 1, (5, 3)).astype("float32")
COMPARISONS = {
    "less": (lambda flag, zero: flag < zero, False),
    "at least": (lambda flag, zero: flag >= zero, True),
    "zero is more": (lambda flag, zero: tf.greater(zero, flag), False),
    "zero is at most": (lambda flag, zero: tf.less_equal(zero, flag), True),
}


@pytest.mark.parametrize("dtype", ["float32", "int32", "int64"])
@pytest.mark.parametrize("zeros", [0, [0, 0, 0], [[[0]], [[0]]]], ids=["one", "a row", "more axes"])
@pytest.mark.parametrize("name", COMPARISONS)
def test_no_flag_is_below_zero(converted, name, zeros, dtype):
    compare, answer = COMPARISONS[name]
    results, _ = converted(lambda x: compare(tf.cast(x > 0, dtype), tf.constant(zeros, dtype)), "tflite", X)
    for (value,) in results:
        np.testing.assert_array_equal(value, np.full(np.broadcast_shapes(X.shape, np.shape(zeros)), answer))


def test_other_comparisons_of_flags_are_as_they_were(converted):
    def compared(x):
        flag = tf.cast(x > 0, tf.float32)
        return [flag < [0.0, 1.0, 0.0], flag > 0.0, flag <= 0.0, flag < 1.0, flag >= 1.0]

    results, _ = converted(compared, "tflite", X)
    for values in results:
        for value, expected in zip(values, compared(X), strict=True):
            np.testing.assert_array_equal(value, expected)
