import numpy as np
import pytest
import tensorflow as tf

from kexport.testing.closeness import EACH, assert_close

SMALL, LARGE = 10.0 ** np.linspace(-30, 0, 301), 10.0 ** np.linspace(0, 37, 301)
DOMAINS = {
    "asinh": np.concatenate([np.linspace(-9, 9, 20001), SMALL, LARGE, -LARGE]),
    "acosh": np.concatenate([np.linspace(1, 9, 20001), LARGE]),
    "atanh": np.concatenate([np.linspace(-1, 1, 20001)[1:-1], SMALL[:-1], 1 - SMALL[240:-1]]),
}


@pytest.mark.parametrize("name", DOMAINS)
def test_inverse_hyperbolic_functions_are_those_of_float64(converted, name):
    x = DOMAINS[name].astype("float32")
    truth = getattr(np, "arc" + name[1:])(x.astype("float64"))
    results, _ = converted(getattr(tf.math, name), "tflite", x)
    for (value,) in results:
        assert_close(value, truth, ulps=5, scale=EACH)


def test_outside_of_the_domain_is_nan_and_its_ends_are_infinite(converted):
    results, _ = converted(
        lambda x, y: [tf.math.acosh(x), tf.math.atanh(y)],
        "tflite",
        np.array([1.0, 0.5, -2.0, -1e9, np.nan], "float32"),
        np.array([1.0, -1.0, 1.5, -3.0, np.nan], "float32"),
    )
    for acosh, atanh in results:
        np.testing.assert_array_equal(acosh, np.array([0, np.nan, np.nan, np.nan, np.nan], "float32"))
        np.testing.assert_array_equal(atanh, np.array([np.inf, -np.inf, np.nan, np.nan, np.nan], "float32"))
