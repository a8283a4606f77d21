import numpy as np
import pytest
import tensorflow as tf

from kexport.testing.closeness import EACH, assert_close

X = np.concatenate([np.linspace(-100, 10, 20001), -(10.0 ** np.linspace(-30, 0, 301))]).astype("float32")
EXACT = X.astype("float64")
TRUTHS = {
    "elu": np.where(EXACT > 0, EXACT, np.expm1(EXACT)),
    "selu": 1.0507009873554804934 * np.where(EXACT > 0, EXACT, 1.6732632423543772848 * np.expm1(EXACT)),
}


@pytest.mark.parametrize("name", TRUTHS)
def test_exponential_units_are_those_of_float64_near_zero_too(converted, name):
    results, _ = converted(getattr(tf.nn, name), "tflite", X)
    for (value,) in results:
        assert_close(value, TRUTHS[name], ulps=8, scale=EACH)


def test_exponential_units_end_at_minus_one_and_keep_nan(converted):
    results, _ = converted(tf.nn.elu, "tflite", np.array([0.0, -np.inf, 1e30, np.nan], "float32"))
    for (value,) in results:
        np.testing.assert_array_equal(value, np.array([0, -1, 1e30, np.nan], "float32"))
