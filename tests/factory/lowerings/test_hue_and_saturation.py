import numpy as np
import pytest
import tensorflow as tf

from kexport.testing.closeness import assert_close

LEVELS = np.array([-0.5, 0, 0.1, 0.25, 0.5, 0.999, 1], "float32")
COLOURS = np.stack(np.meshgrid(LEVELS, LEVELS, LEVELS), -1).reshape(-1, 1, 1, 3)
CASES = {
    "a turned hue": lambda x: tf.image.adjust_hue(x, 0.3),
    "a hue turned back": lambda x: tf.image.adjust_hue(x, -0.7),
    "more saturation than there is": lambda x: tf.image.adjust_saturation(x, 3.0),
    "less saturation": lambda x: tf.image.adjust_saturation(x, 0.4),
    "no saturation": lambda x: tf.image.adjust_saturation(x, 0.0),
}


@pytest.mark.parametrize("format_name", ["onnx", "tflite"])
@pytest.mark.parametrize("case", CASES)
def test_colours_are_those_of_tensorflow(converted, format_name, case):
    results, _ = converted(CASES[case], format_name, COLOURS)
    for (value,) in results:
        assert_close(value, np.asarray(CASES[case](COLOURS)), ulps=8)
