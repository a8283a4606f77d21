import numpy as np
import pytest
import tensorflow as tf

from kexport.testing.closeness import assert_close

LIMITS = [(-1.0, 1.0), (0.0, 6.0), (-0.3, 0.77), (0.5, 2.0), (-2.0, -0.5), (0.0, 0.0)]
X = np.linspace(-7, 7, 3001).astype("float32")


@pytest.mark.parametrize("limits", LIMITS)
@pytest.mark.parametrize("settings", [{}, {"narrow_range": True}, {"num_bits": 4}, {"num_bits": 16}])
def test_levels_are_those_of_tensorflow(converted, limits, settings):
    def function(x):
        return tf.quantization.fake_quant_with_min_max_vars(x, *limits, **settings)

    for (value,) in converted(function, "onnx", X)[0]:
        step = (limits[1] - limits[0]) / (2 ** settings.get("num_bits", 8) - 1)
        wanted = function(X).numpy()
        off = np.abs(value - wanted) > step / 2
        assert off.mean() < 1e-3, "one level off only where x lies between two, to the last place"
        assert_close(value[~off], wanted[~off])


def test_each_channel_has_its_own_levels(converted):
    low, high = (np.array(side, "float32") for side in zip(*LIMITS, strict=True))
    x = np.random.default_rng(0).uniform(-3, 3, (50, len(LIMITS))).astype("float32")

    def function(x):
        return tf.quantization.fake_quant_with_min_max_vars_per_channel(x, low, high, narrow_range=True)

    for (value,) in converted(function, "onnx", x)[0]:
        assert_close(value, function(x))


def test_limits_that_are_attributes_are_those_of_the_operation(converted):
    def function(x):
        return tf.quantization.fake_quant_with_min_max_args(x, -1.5, 2.5)

    for (value,) in converted(function, "onnx", X)[0]:
        assert_close(value, function(X))
