import colorsys

import numpy as np
import pytest
import tensorflow as tf

from kexport.testing.closeness import assert_close

LEVELS = np.array([0, 1e-30, 0.1, 0.25, 0.5, 0.999, 1], "float32")
COLOURS = np.stack(np.meshgrid(LEVELS, LEVELS, LEVELS), -1).reshape(-1, 1, 1, 3)


@pytest.mark.parametrize("format_name", ["onnx", "tflite"])
@pytest.mark.parametrize("name", ["rgb_to_hsv", "hsv_to_rgb"])
def test_colours_are_those_of_float64(converted, format_name, name):
    flat = COLOURS.reshape(-1, 3).astype("float64")
    truth = np.array([getattr(colorsys, name)(*colour) for colour in flat]).reshape(COLOURS.shape)
    results, _ = converted(getattr(tf.image, name), format_name, COLOURS)
    for (value,) in results:
        distance = np.abs(value - truth)
        if name == "rgb_to_hsv":  # a hue of 1 is a hue of 0
            distance[..., 0] = np.minimum(distance[..., 0], 1 - distance[..., 0])
        assert_close(distance, 0, ulps=8, scale=1, dtype="float32")
