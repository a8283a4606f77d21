import numpy as np
import pytest
import tensorflow as tf

from kexport import KexportError
from kexport.testing.closeness import EACH, assert_close

FORMATS = ("onnx", "tflite")
RANDOM = np.random.default_rng(0)
A, B, C, D = RANDOM.normal(size=(4, 3, 4, 4)).astype("float32")
X, Y = A.astype("float64") + 1j * B, C.astype("float64") + 1j * D

FUNCTIONS = {
    "sum": (lambda x, y: x + y - 2 * y, X + Y - 2 * Y),
    "product": (lambda x, y: x * y * (1 + 2j), X * Y * (1 + 2j)),
    "quotient": (lambda x, y: x / y, X / Y),
    "reciprocal": (lambda x, y: tf.math.reciprocal(x), 1 / X),
    "matrix product": (tf.matmul, X @ Y),
    "adjoint": (lambda x, y: tf.matmul(x, y, adjoint_a=True), X.conj().swapaxes(1, 2) @ Y),
    "transposed": (lambda x, y: tf.matmul(x, y, transpose_b=True), X @ Y.swapaxes(1, 2)),
    "einsum": (lambda x, y: tf.einsum("bij,bkj->bik", x, y), X @ Y.swapaxes(1, 2)),
    "conjugate": (lambda x, y: tf.math.conj(x) * tf.linalg.adjoint(y), X.conj() * Y.conj().swapaxes(1, 2)),
    "exponential": (lambda x, y: tf.exp(x), np.exp(X)),
    "logarithm": (lambda x, y: tf.math.log(x), np.log(X)),
    "square": (lambda x, y: tf.square(x), X**2),
    "root": (lambda x, y: tf.sqrt(x), np.sqrt(X)),
    "cube": (lambda x, y: x**3, X**3),
    "equal": (lambda x, y: tf.where(tf.equal(x, tf.math.conj(x)) | tf.not_equal(x, y), y, x), Y),
    "stack": (lambda x, y: tf.stack([x, y], 1)[:, 1, ::-1, 1:], Y[:, ::-1, 1:]),
    "concat": (lambda x, y: tf.transpose(tf.concat([x, y, tf.zeros_like(x)], 2), [2, 0, 1]),
               np.concatenate([X, Y, 0 * X], 2).transpose(2, 0, 1)),
    "pad": (lambda x, y: tf.pad(x, [[0, 0], [1, 2], [0, 1]], constant_values=1j),
            np.pad(X, [(0, 0), (1, 2), (0, 1)], constant_values=1j)),
    "reshape": (lambda x, y: tf.reduce_sum(tf.reshape(x, [-1, 16]), 1), X.reshape(3, 16).sum(1)),
    "gather": (lambda x, y: tf.gather(x, [2, 0], axis=1), X[:, [2, 0]]),
    "choice": (lambda x, y: tf.where(tf.math.real(x) > 0, x, y), np.where(A > 0, X, Y)),
    "cast": (lambda x, y: tf.cast(tf.math.real(x), tf.complex64) * y, A * Y),
}  # fmt: skip


def on_parts(function):
    def split(a, b, c, d):
        z = function(tf.complex(a, b), tf.complex(c, d))
        return tf.math.real(z), tf.math.imag(z)

    return split


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_operations_on_complex_numbers_are_those_of_float64(converted, format_name, name):
    function, truth = FUNCTIONS[name]
    for real, imag in converted(on_parts(function), format_name, A, B, C, D)[0]:
        assert_close(real + 1j * imag, truth, ulps=16)


EDGES = np.array([0.0, -0.0, 1.0, -2.0, 1e-30, -1e30, 1e38, np.inf, -np.inf], "float32")
REAL, IMAG = np.array(np.meshgrid(EDGES, EDGES)).reshape(2, 1, -1)


@pytest.mark.parametrize("format_name", FORMATS)
def test_the_magnitude_neither_overflows_nor_vanishes(converted, format_name):
    numbers = np.isfinite(REAL) & np.isfinite(IMAG) | (
        format_name == "onnx"
    )  # TFLite's reference kernels lack infinity
    real, imag = REAL[numbers][None], IMAG[numbers][None]
    truth = np.hypot(real.astype("float64"), imag)
    for (value,) in converted(lambda a, b: tf.abs(tf.complex(a, b)), format_name, real, imag)[0]:
        assert_close(value, truth, scale=EACH)


@pytest.mark.parametrize("format_name", FORMATS)
def test_the_angle_has_the_quadrant_of_both_parts(converted, format_name):
    finite = np.isfinite(REAL) & np.isfinite(IMAG)
    real, imag = REAL[finite][None], IMAG[finite][None]
    truth = np.arctan2(imag.astype("float64"), real)
    for (value,) in converted(lambda a, b: tf.math.angle(tf.complex(a, b)), format_name, real, imag)[0]:
        assert_close(value, truth, scale=EACH)


@pytest.mark.parametrize("format_name", FORMATS)
def test_what_is_done_to_both_parts_is_lowered_for_each(converted, format_name):
    """A format lacks a shift, and TensorFlow's converter loses a squeezed axis that is counted from the end."""

    def function(x, y):
        shifted = tf.signal.fftshift(tf.squeeze(tf.matmul(x, y)[..., :1], [-1]), -1)
        return tf.math.cumsum(shifted, -1, exclusive=True, reverse=True)

    truth = np.cumsum(np.fft.fftshift((X @ Y)[..., 0], -1)[:, ::-1], -1)[:, ::-1]
    truth = np.concatenate([truth[:, 1:], np.zeros_like(truth[:, :1])], -1)
    for real, imag in converted(on_parts(function), format_name, A, B, C, D)[0]:
        assert_close(real + 1j * imag, truth, ulps=16)


@pytest.mark.parametrize("format_name", FORMATS)
def test_what_has_no_equivalent_is_refused_by_name(converted, format_name):
    with pytest.raises(KexportError, match="Tanh"):
        converted(lambda a, b: tf.abs(tf.tanh(tf.complex(a, b))), format_name, A, B)
