import keras
import numpy as np

X = np.array([[0.0, -0.0, 1.0, -1.0], [np.inf, -np.inf, 3e38, -3e38], [1e-30, -1e-30, -0.0, np.nan]], "float32")


def test_the_sign_bit_is_that_of_the_number_zeros_and_infinities_included(converted):
    results, _ = converted(keras.ops.signbit, "onnx", X)
    for (value,) in results:
        np.testing.assert_array_equal(value, np.signbit(X))


def test_the_largest_and_smallest_are_found_past_zeros_of_either_sign(converted):
    x = np.array([[-0.0, 0.0, -1.0], [2.0, 2.0, 1.0], [0.0, -0.0, -0.0]], "float32")
    found = lambda x: [keras.ops.argmax(x, -1), keras.ops.argmin(x, -1)]  # noqa: E731
    truth = [np.asarray(value) for value in found(x)]
    results, _ = converted(found, "onnx", x)
    for values in results:
        for value, expected in zip(values, truth, strict=True):
            np.testing.assert_array_equal(value, expected)
