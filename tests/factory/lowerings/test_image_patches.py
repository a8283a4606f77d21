import numpy as np
import pytest
import tensorflow as tf

IMAGE = np.arange(2 * 11 * 9 * 3).reshape(2, 11, 9, 3)


@pytest.mark.parametrize("format_name", ["onnx", "tflite"])
@pytest.mark.parametrize("dynamic", [False, True])
@pytest.mark.parametrize("padding", ["VALID", "SAME"])
@pytest.mark.parametrize(("taps", "steps", "rates"), [((3, 3), (3, 3), (1, 1)), ((2, 3), (1, 2), (2, 1))])
def test_patches_are_those_of_tensorflow(converted, format_name, dynamic, padding, taps, steps, rates):
    def patches(x):
        x = tf.ensure_shape(x, (None, None, None, 3))
        return tf.image.extract_patches(x, [1, *taps, 1], [1, *steps, 1], [1, *rates, 1], padding)

    image = IMAGE.astype("float32")
    image[0, 1, 2, 0] = np.inf  # which a convolution would spread
    results, _ = converted(patches, format_name, image, dynamic=dynamic)
    for (value,) in results:
        np.testing.assert_array_equal(value, patches(image))


@pytest.mark.parametrize("format_name", ["onnx", "tflite"])
@pytest.mark.parametrize("padding", ["VALID", "SAME"])
def test_patches_of_volumes_are_those_of_tensorflow(converted, format_name, padding):
    def patches(x):
        return tf.raw_ops.ExtractVolumePatches(
            input=x, ksizes=[1, 2, 3, 1, 1], strides=[1, 2, 2, 1, 1], padding=padding
        )

    volume = IMAGE.reshape(2, 11, 3, 3, 3).astype("float32")
    results, _ = converted(patches, format_name, volume)
    for (value,) in results:
        np.testing.assert_array_equal(value, patches(volume))
