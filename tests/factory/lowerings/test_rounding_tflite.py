import numpy as np
import pytest
import tensorflow as tf

HALVES = np.arange(-9, 9, 0.5)
EDGES = [0.49999997, -0.49999997, 8388607.5, -8388607.5, 4194303.5, 1e30, -1e-30, np.inf, -np.inf, np.nan]
X = np.concatenate([HALVES, np.linspace(-3, 3, 997), EDGES]).astype("float32")
X = np.concatenate([X, np.nextafter(X[: len(HALVES)], np.float32(99)), np.nextafter(X[: len(HALVES)], np.float32(-99))])
X = X[(np.abs(X) > 1e-37) | ~(np.abs(X) > 0)]  # XNNPACK takes denormal numbers for 0


@pytest.mark.parametrize(
    ("function", "truth"), [(tf.math.ceil, np.ceil), (tf.round, np.round), (tf.math.rint, np.rint)]
)
def test_rounding_is_exact_in_every_runtime(converted, function, truth):
    results, operators = converted(function, "tflite", X)
    assert not {"CEIL v1", "ROUND v1"} & operators
    for (value,) in results:
        np.testing.assert_array_equal(value, truth(X))


@pytest.mark.parametrize("function", [tf.round, tf.math.rint])
def test_zero_keeps_the_sign_of_what_is_nearest_to_it(converted, function):
    x = np.array([-0.3, 0.3, -0.5, 0.5, -0.0, 0.0, -1e-3, 1e-3], "float32")
    for (value,) in converted(function, "tflite", x)[0]:
        np.testing.assert_array_equal(np.signbit(value), np.signbit(x))
