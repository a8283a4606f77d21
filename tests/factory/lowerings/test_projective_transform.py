import numpy as np
import pytest
import tensorflow as tf

from kexport.testing.closeness import assert_close

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.uniform(0, 1, (2, 6, 7, 3)).astype("float32")
TRANSFORMS = np.array(
    [[0.9, 0.21, 0.53, -0.12, 1.13, -0.71, 0.013, 0.0021], [2.3, -0.4, -9.3, 0.3, -1.7, 17.2, 0.011, -0.017]], "float32"
)


def transform(images, transforms, interpolation, mode):
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images, transforms=transforms, output_shape=[6, 7], fill_value=0.3, interpolation=interpolation,
        fill_mode=mode,
    )  # fmt: skip


@pytest.mark.parametrize("format_name", ["onnx", "tflite"])
@pytest.mark.parametrize("mode", ["CONSTANT", "NEAREST", "REFLECT", "WRAP"])
@pytest.mark.parametrize("interpolation", ["NEAREST", "BILINEAR"])
def test_pixels_come_from_where_tensorflow_takes_them(converted, format_name, interpolation, mode):
    def both(images, transforms):
        return [
            transform(images, transforms, interpolation, mode),
            transform(images, TRANSFORMS[1:], interpolation, mode),
        ]

    truth = [value.numpy() for value in both(IMAGES, TRANSFORMS)]
    results, _ = converted(both, format_name, IMAGES, TRANSFORMS)
    for values in results:
        for value, expected in zip(values, truth, strict=True):
            assert_close(value, expected, ulps=64, scale=1)


@pytest.mark.parametrize("format_name", ["onnx", "tflite"])
def test_the_weights_are_those_of_float64(converted, format_name):
    rows, columns = np.mgrid[:6, :7].astype("float64")
    a, b, c, d, e, f, g, h = TRANSFORMS[0].astype("float64")
    depth = g * columns + h * rows + 1
    x, y = (a * columns + b * rows + c) / depth, (d * columns + e * rows + f) / depth
    ramp = np.stack([*np.mgrid[:6, :7]], -1)[None].astype("float32")  # whose bilinear value is the place itself
    results, _ = converted(lambda images: transform(images, TRANSFORMS[:1], "BILINEAR", "NEAREST"), format_name, ramp)
    for (value,) in results:
        assert_close(value[0, :, :, 0], np.clip(y, 0, 5), ulps=64, scale=1)
        assert_close(value[0, :, :, 1], np.clip(x, 0, 6), ulps=64, scale=1)
