import numpy as np
import tensorflow as tf

from kexport.testing.closeness import assert_close

X = np.random.default_rng(0).normal(size=(2, 64)).astype("float32")
TRUTH = np.fft.rfft(X.astype("float64"))


def test_a_power_of_two_keeps_the_operator_that_computes_in_float64(converted):
    results, operators = converted(lambda x: tf.abs(tf.signal.rfft(x)), "tflite", X)
    assert {"RFFT2D v1", "COMPLEX_ABS v1"} <= operators
    for (value,) in results:
        assert_close(value, np.abs(TRUTH))


def test_its_result_may_be_worked_on_as_complex_numbers(converted):
    results, operators = converted(lambda x: tf.math.real(tf.signal.rfft(x) * (2 - 3j)), "tflite", X)
    assert "RFFT2D v1" in operators
    for (value,) in results:
        assert_close(value, (TRUTH * (2 - 3j)).real)


def test_another_length_takes_matrices(converted):
    results, operators = converted(lambda x: tf.abs(tf.signal.rfft(x)), "tflite", X[:, :60])
    assert "RFFT2D v1" not in operators
    for (value,) in results:
        assert_close(value, np.abs(np.fft.rfft(X.astype("float64"), 60)))
