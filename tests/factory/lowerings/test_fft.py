import numpy as np
import pytest
import tensorflow as tf

from kexport.testing.closeness import assert_close

FORMATS = ("onnx", "tflite")
RANDOM = np.random.default_rng(0)


def parts(*shape):
    return RANDOM.normal(size=(2, *shape)).astype("float32")


def near(value, truth, size):
    """Within the noise of float32 sums of so many numbers near 1."""
    assert_close(value, truth, ulps=16, scale=np.sqrt(size), dtype="float32")


def check(converted, format_name, function, oracle, shape, **options):
    real, imag = parts(*shape)
    truth = oracle(real.astype("float64") + 1j * imag)

    def split(x, y):
        z = function(tf.complex(x, y))
        return tf.math.real(z), tf.math.imag(z)

    results, _ = converted(split, format_name, real, imag, **options)
    for got_real, got_imag in results:
        near(got_real, truth.real, shape[-1])
        near(got_imag, truth.imag, shape[-1])


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize("length", [1, 2, 5, 64, 67, 130, 441, 1024, 2048])
def test_transforms_of_any_length_are_those_of_float64(converted, format_name, length):
    check(converted, format_name, tf.signal.fft, np.fft.fft, (3, length))


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize("length", [2, 7, 100])
def test_the_inverse_is_scaled(converted, format_name, length):
    check(converted, format_name, tf.signal.ifft, np.fft.ifft, (2, 3, length))


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize("inverse", [False, True])
def test_planes_are_transformed_along_both_axes(converted, format_name, inverse):
    name = "ifft2" if inverse else "fft2"
    check(converted, format_name, getattr(tf.signal, name + "d"), getattr(np.fft, name), (2, 6, 80))


@pytest.mark.parametrize("format_name", FORMATS)
def test_volumes_are_transformed_along_three_axes(converted, format_name):
    check(converted, format_name, tf.signal.fft3d, lambda z: np.fft.fftn(z, axes=(1, 2, 3)), (2, 4, 3, 5))


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize("length", [8, 100])
def test_a_length_that_only_the_data_tell_is_transformed_too(converted, format_name, length):
    check(converted, format_name, tf.signal.fft, np.fft.fft, (3, length), dynamic=True)
