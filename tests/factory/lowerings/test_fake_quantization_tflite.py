import numpy as np
import pytest
import tensorflow as tf

from kexport.testing.closeness import assert_close

X = np.random.default_rng(0).uniform(-1.2, 1.2, (3, 5, 5, 2)).astype("float32")
KERNEL = np.random.default_rng(1).uniform(-0.4, 0.4, (3, 3, 2, 4)).astype("float32")
SIDE = np.full(4, 0.3, "float32")


@pytest.mark.parametrize("bits", [2, 4, 16])
@pytest.mark.parametrize("per_channel", [False, True])
def test_a_convolution_with_weights_of_few_bits_gives_the_levels_of_tensorflow(converted, bits, per_channel):
    def function(x):
        kernel = (
            tf.quantization.fake_quant_with_min_max_vars_per_channel(KERNEL, -SIDE, SIDE, bits, narrow_range=True)
            if per_channel
            else tf.quantization.fake_quant_with_min_max_args(KERNEL, -0.3, 0.3, bits, narrow_range=True)
        )
        levels = tf.quantization.fake_quant_with_min_max_args(x, -1, 1, bits)
        return tf.nn.conv2d(levels, kernel, 1, "SAME")

    for (value,) in converted(function, "tflite", X)[0]:
        assert_close(value, function(X))


def test_eight_bits_are_left_to_the_converter(converted):
    def function(x):
        return tf.quantization.fake_quant_with_min_max_args(x, -1, 127 / 128)  # 0 is a level: nothing to nudge

    for (value,) in converted(function, "tflite", X)[0]:
        assert_close(value, function(X))


LIMITS = np.array([-1.0, -0.5], "float32"), np.array([0.7, 2.0], "float32")
WEIGHTS = np.random.default_rng(2).normal(size=(2, 2)).astype("float32")
BY_CHANNEL = tf.quantization.fake_quant_with_min_max_vars_per_channel
EIGHT_BITS = {
    "narrow": lambda x: tf.quantization.fake_quant_with_min_max_vars(x, -1.0, 1.3, narrow_range=True),
    "by channel": lambda x: BY_CHANNEL(x, *LIMITS),
    "by channel, narrow": lambda x: BY_CHANNEL(x, *LIMITS, narrow_range=True),
    "weights of a product": lambda x: x @ BY_CHANNEL(tf.constant(WEIGHTS), *LIMITS, narrow_range=True),
}


@pytest.mark.parametrize("case", EIGHT_BITS)
def test_eight_bits_of_a_special_range_are_the_levels_of_tensorflow(converted, case):
    for (value,) in converted(EIGHT_BITS[case], "tflite", X)[0]:
        assert_close(value, np.asarray(EIGHT_BITS[case](X)))
