import numpy as np
import pytest
import tensorflow as tf

from kexport.testing.closeness import EACH, assert_close

UNIT = np.concatenate([np.linspace(-1, 1, 20001), 10.0 ** np.linspace(-30, 0, 301)])
DOMAINS = {"asin": UNIT, "acos": UNIT, "atan": np.concatenate([UNIT, 10.0 ** np.linspace(0, 37, 301), [np.inf]])}


@pytest.mark.parametrize("name", DOMAINS)
def test_inverse_trigonometric_functions_are_those_of_float64(converted, name):
    x = DOMAINS[name].astype("float32")
    truth = getattr(np, "arc" + name[1:])(x.astype("float64"))
    results, operators = converted(getattr(tf.math, name), "tflite", x)
    assert any("ATAN2" in operator for operator in operators)
    for (value,) in results:
        assert_close(value, truth, scale=EACH)


def test_beyond_one_there_is_no_angle(converted):
    results, _ = converted(lambda x: [tf.asin(x), tf.acos(x)], "tflite", np.array([1.5, -2.0, np.nan], "float32"))
    for values in results:
        assert np.isnan(values).all()


@pytest.mark.parametrize("dynamic", [False, True])
def test_the_angle_of_a_point_broadcasts(converted, dynamic):
    y, x = np.array([[1], [-1], [0]], "float32"), np.array([[2, -2, 0, -0.0]], "float32")
    results, _ = converted(lambda y: tf.atan2(y, tf.constant(x)), "tflite", y, dynamic=dynamic)
    for (value,) in results:
        assert_close(value, np.arctan2(y.astype("float64"), x), scale=EACH)
