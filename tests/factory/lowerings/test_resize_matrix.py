import numpy as np
import pytest
import tensorflow as tf

from kexport.testing.closeness import assert_close

X = np.random.default_rng(0).uniform(0, 255, (2, 9, 7, 3)).astype("float32")


@pytest.mark.parametrize("format_name", ["onnx", "tflite"])
@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("method", ["bicubic", "lanczos3", "lanczos5", "gaussian", "mitchellcubic", "area"])
def test_it_is_what_tensorflow_makes_of_the_image(converted, format_name, antialias, method):
    # TensorFlow's kernels, approximations included, are what the models were trained with: they are the truth here.
    for size in ((4, 11), (9, 3), (1, 1)):

        def resize(value, size=size):
            return tf.image.resize(value, size, method, antialias=antialias)

        results, _ = converted(resize, format_name, X)
        for (value,) in results:
            assert_close(value, resize(X), ulps=16, scale=255)


@pytest.mark.parametrize("method", ["lanczos3", "bicubic"])
def test_the_weights_are_those_of_float64(converted, method):
    x = np.eye(9, dtype="float32").reshape(1, 9, 9, 1)
    (((value,),), _) = converted(lambda t: tf.image.resize(t, (5, 9), method, antialias=True), "onnx", x)
    assert_close(value[0, :, :, 0], _weights(9, 5, method), ulps=16, scale=1)


def _weights(size, wanted, method):
    scale = size / wanted
    distance = np.abs((np.arange(size)[None] + 0.5 - (np.arange(wanted)[:, None] + 0.5) * scale) / scale)
    if method == "lanczos3":
        kernel = np.where(distance < 3, np.sinc(distance) * np.sinc(distance / 3), 0)
    else:  # Keys, a = -1/2
        near, far = (1.5 * distance - 2.5) * distance**2 + 1, ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
        kernel = np.where(distance < 1, near, np.where(distance < 2, far, 0))
    return kernel / kernel.sum(1, keepdims=True)
