import numpy as np
import pytest
import tensorflow as tf

from kexport.testing.closeness import EACH, assert_close

X = np.random.default_rng(0).uniform(0, 255, (3, 13, 11, 3)).astype("float32")


def truth(images, size):
    """Bilinear interpolation in float64, half pixels at the ends."""
    for axis, after in zip((1, 2), size, strict=True):
        before = images.shape[axis]
        places = np.clip((np.arange(after) + 0.5) * before / after - 0.5, 0, before - 1)
        lower = np.floor(places).astype(int)
        upper = np.minimum(lower + 1, before - 1)
        part = (places - lower).reshape((-1,) + (1,) * (3 - axis))
        images = (1 - part) * images.take(lower, axis) + part * images.take(upper, axis)
    return images


def kernels(ops):
    return {name.split()[0] for name in ops} & {"Resize", "RESIZE_BILINEAR"}


def resized(size):
    return lambda x: tf.raw_ops.ResizeBilinear(images=x, size=size, half_pixel_centers=True)


@pytest.mark.parametrize("format_name", ["onnx", "tflite"])
@pytest.mark.parametrize("dynamic", [False, True])
@pytest.mark.parametrize("size", [(7, 5), (30, 31), (13, 12)])
def test_pixels_are_those_of_tensorflow_to_the_last_digits(converted, format_name, dynamic, size):
    results, ops = converted(resized(size), format_name, X, dynamic=dynamic)
    assert not kernels(ops)
    for (value,) in results:
        assert_close(value, resized(size)(X), scale=EACH)
        assert_close(value, truth(X.astype("float64"), size), ulps=64, scale=255)


@pytest.mark.parametrize("format_name", ["onnx", "tflite"])
def test_a_third_more_of_dynamic_pixels(converted, format_name):
    results, _ = converted(lambda x: resized(tf.shape(x)[1:3] * 3)(x), format_name, X, dynamic=True)
    for (value,) in results:
        assert_close(value, resized((39, 33))(X), scale=EACH)


@pytest.mark.parametrize("format_name", ["onnx", "tflite"])
def test_bytes_are_resized_as_floats(converted, format_name):
    results, _ = converted(resized((7, 5)), format_name, X.astype("uint8"))
    for (value,) in results:
        assert_close(value, resized((7, 5))(X.astype("uint8")), scale=EACH)


@pytest.mark.parametrize("format_name", ["onnx", "tflite"])
@pytest.mark.parametrize("dynamic", [False, True])
def test_twice_the_pixels_need_no_lowering(converted, format_name, dynamic):
    results, ops = converted(lambda x: resized(tf.shape(x)[1:3] * 2)(x), format_name, X, dynamic=dynamic)
    assert kernels(ops)
    for (value,) in results:
        assert_close(value, resized((26, 22))(X), scale=EACH)
