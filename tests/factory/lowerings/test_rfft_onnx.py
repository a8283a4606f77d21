import numpy as np
import pytest
import tensorflow as tf

from kexport.testing.closeness import assert_close

FORMATS = ("onnx", "tflite")
RANDOM = np.random.default_rng(0)


def numbers(*shape):
    return RANDOM.normal(size=shape).astype("float32")


def near(value, truth, size):
    """Within the noise of float32 sums of so many numbers near 1."""
    assert_close(value, truth, ulps=16, scale=np.sqrt(size), dtype="float32")


def forward(transform):
    def split(x):
        z = transform(x)
        return tf.math.real(z), tf.math.imag(z)

    return split


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize("length", [1, 2, 15, 16, 67, 400, 441, 2048])
def test_real_numbers_of_any_length_have_the_spectrum_of_float64(converted, format_name, length):
    x = numbers(3, length)
    truth = np.fft.rfft(x.astype("float64"))
    for real, imag in converted(forward(tf.signal.rfft), format_name, x)[0]:
        near(real, truth.real, length)
        near(imag, truth.imag, length)


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize("length", [10, 16, 24])
@pytest.mark.parametrize("dynamic", [False, True])
def test_data_are_cropped_or_filled_to_the_length_asked_for(converted, format_name, length, dynamic):
    x = numbers(2, 3, 16)
    truth = np.fft.rfft(x.astype("float64"), length)
    results, _ = converted(forward(lambda x: tf.signal.rfft(x, [length])), format_name, x, dynamic=dynamic)
    for real, imag in results:
        near(real, truth.real, length)
        near(imag, truth.imag, length)


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize("length", [9, 16])
def test_a_length_that_only_the_data_tell_is_transformed_too(converted, format_name, length):
    x = numbers(3, length)
    truth = np.fft.rfft(x.astype("float64"))
    for real, imag in converted(forward(tf.signal.rfft), format_name, x, dynamic=True)[0]:
        near(real, truth.real, length)
        near(imag, truth.imag, length)


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize("length", [2, 9, 16, 67, 512, 1000])
@pytest.mark.parametrize("dynamic", [False, True])
def test_spectra_of_any_length_give_their_signal_back(converted, format_name, length, dynamic):
    real, imag = numbers(2, 3, length // 2 + 1)
    truth = np.fft.irfft(real.astype("float64") + 1j * imag, length)
    results, _ = converted(
        lambda a, b: tf.signal.irfft(tf.complex(a, b), [length]), format_name, real, imag, dynamic=dynamic
    )
    for (value,) in results:
        near(value, truth, 4)


@pytest.mark.parametrize("format_name", FORMATS)
def test_planes_and_volumes_are_transformed_there_and_back(converted, format_name):
    x = numbers(2, 4, 6, 9)
    truth = np.fft.rfft2(x.astype("float64"))
    for real, imag in converted(forward(tf.signal.rfft2d), format_name, x)[0]:
        near(real, truth.real, 54)
        near(imag, truth.imag, 54)
    for (value,) in converted(lambda x: tf.signal.irfft3d(tf.signal.rfft3d(x), [4, 6, 9]), format_name, x)[0]:
        near(value, x, 4)


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize("dynamic", [False, True])
def test_a_signal_survives_its_spectrogram(converted, format_name, dynamic):
    x = numbers(2, 90)
    window = lambda n, dtype: tf.signal.hann_window(n, dtype=dtype)  # noqa: E731
    inverse = tf.signal.inverse_stft_window_fn(5, window)

    def there_and_back(x):
        return tf.signal.inverse_stft(tf.signal.stft(x, 20, 5, window_fn=window), 20, 5, window_fn=inverse)

    truth = there_and_back(x.astype("float64"))
    for (value,) in converted(there_and_back, format_name, x, dynamic=dynamic)[0]:
        near(value, truth.numpy(), 20)


@pytest.mark.parametrize("format_name", FORMATS)
def test_a_spectrum_whose_length_only_the_data_tell_gives_its_signal_back(converted, format_name):
    real, imag = numbers(2, 3, 9)
    truth = np.fft.irfft(real.astype("float64") + 1j * imag)
    results, _ = converted(lambda a, b: tf.signal.irfft(tf.complex(a, b)), format_name, real, imag, dynamic=True)
    for (value,) in results:
        near(value, truth, 4)


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize("shape", [(15,), (16,), (66,), (128,), (8, 16), (6, 10)])
@pytest.mark.parametrize("dynamic", [False, True])
def test_frequencies_that_are_their_own_conjugates_are_real_with_the_sign_of_a_positive_zero(
    converted, format_name, shape, dynamic
):
    """The angle of a negative one is pi, and -pi where rounding leaves something, or -0."""
    x = numbers(3, *shape)
    own = np.array(True)
    for length, kept in zip(shape, [*shape[:-1], shape[-1] // 2 + 1], strict=True):
        own = own[..., None] & (2 * np.arange(kept) % length == 0)
    transform = tf.signal.rfft if len(shape) == 1 else tf.signal.rfft2d
    for _, imag in converted(forward(transform), format_name, x, dynamic=dynamic)[0]:
        assert not imag[:, own].view("int32").any()
