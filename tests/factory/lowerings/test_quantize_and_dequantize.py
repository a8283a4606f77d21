"""Levels that are those of TensorFlow bit for bit, of numbers half way between two levels too."""

import numpy as np
import pytest
import tensorflow as tf

RNG = np.random.default_rng(0)
TIES = (np.arange(-300, 300) / np.float32(127) * np.float32(0.5)).astype("float32")
X = np.concatenate([TIES, RNG.normal(size=600).astype("float32")]).reshape(-1, 6)


@pytest.mark.parametrize("format_name", ["onnx", "tflite"])
@pytest.mark.parametrize("bits", [4, 8, 16])
@pytest.mark.parametrize("rounding", ["HALF_TO_EVEN", "HALF_UP"])
@pytest.mark.parametrize(
    "options", [{}, {"narrow_range": True}, {"signed_input": False}], ids=["signed", "narrow", "unsigned"]
)
def test_levels_are_those_of_tensorflow(converted, format_name, bits, rounding, options):
    for low, high in ((-1.0, 1.0), (-0.3, 1.7), (-1.7, 0.3)):
        low = 0.0 if options.get("signed_input") is False else low
        settings = {"range_given": True, "num_bits": bits, "round_mode": rounding, **options}
        function = lambda x: tf.quantization.quantize_and_dequantize_v2(x, low, high, **settings)  # noqa: B023, E731
        results, _ = converted(function, format_name, X)
        for (value,) in results:
            np.testing.assert_array_equal(value, function(X))


@pytest.mark.parametrize("format_name", ["onnx", "tflite"])
def test_a_range_that_is_not_given_is_that_of_the_numbers(converted, format_name):
    function = lambda x: tf.quantization.quantize_and_dequantize_v2(x, 0.0, 0.0)  # noqa: E731  called twice
    results, _ = converted(function, format_name, X[-1:])  # TFLite takes rows one by one
    for (value,) in results:
        np.testing.assert_array_equal(value, function(X[-1:]))


@pytest.mark.parametrize("format_name", ["onnx", "tflite"])
def test_the_number_of_bits_may_be_an_input_of_the_operation(converted, format_name):
    function = lambda x: tf.quantization.quantize_and_dequantize(x, -1.0, 1.0, range_given=True)  # noqa: E731
    results, _ = converted(function, format_name, X)
    for (value,) in results:
        np.testing.assert_array_equal(value, function(X))
