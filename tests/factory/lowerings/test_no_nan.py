"""Quotients and products that are 0 where the second operand is."""

import numpy as np
import pytest
import tensorflow as tf

RNG = np.random.default_rng(0)
FUNCTIONS = {"quotient": tf.math.divide_no_nan, "product": tf.math.multiply_no_nan}


@pytest.mark.parametrize("format_name", ["onnx", "tflite"])
@pytest.mark.parametrize("kind", FUNCTIONS)
@pytest.mark.parametrize("sizes", [(4,), (2, 3, 4, 2), (1, 3, 1, 2)])
def test_they_are_of_any_rank_and_shape(converted, kind, format_name, sizes):
    """Of five axes, the converter's own file is refused by LiteRT."""
    x = RNG.normal(size=(2, 2, 3, 4, 2) if len(sizes) != 1 else (2, 4)).astype("float32")
    y = RNG.normal(size=(2, *sizes)).astype("float32")
    y.ravel()[::3] = 0
    x.ravel()[0] = np.inf
    results, _ = converted(FUNCTIONS[kind], format_name, x, y)
    for (value,) in results:
        np.testing.assert_array_max_ulp(value, FUNCTIONS[kind](x, y).numpy(), 1)


@pytest.mark.parametrize("format_name", ["onnx", "tflite"])
def test_whatever_is_multiplied_by_zero_is_zero(converted, format_name):
    x = np.array([np.nan, np.inf, 2, 3, np.inf, 0], "float32")
    y = np.array([0, 0, 0, 4, 1, np.nan], "float32")
    results, _ = converted(tf.math.multiply_no_nan, format_name, x, y)
    largest = np.finfo("float32").max
    for (value,) in results:  # reference kernels of TFLite write the largest number for an infinite product
        np.testing.assert_array_equal(np.clip(value, None, largest), [0, 0, 0, 12, largest, np.nan])
