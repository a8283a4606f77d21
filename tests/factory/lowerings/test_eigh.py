import numpy as np
import pytest
import tensorflow as tf
from _matrices import FORMATS, SIZES, check, double, plain, positive

from kexport import KexportError


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize("size", [*SIZES, 20])
def test_eigenvalues_ascend_and_are_those_of_float64(converted, format_name, size):
    a = positive(size, 2, 3)
    check(converted(tf.linalg.eigvalsh, format_name, a)[0], np.linalg.eigvalsh(*double(a)))


@pytest.mark.parametrize("format_name", FORMATS)
def test_the_upper_triangle_is_not_read_and_equal_eigenvalues_are_found(converted, format_name):
    a = np.stack([np.eye(4), np.zeros((4, 4)), np.ones((4, 4)), np.diag([3, -1, 3, -1])]).astype("float32")
    lower = np.tril(a) + np.triu(np.full_like(a, 7), 1)
    check(converted(tf.linalg.eigvalsh, format_name, lower)[0], np.linalg.eigvalsh(*double(a)))


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize("size", [3, 8])
def test_eigenvectors_serve_where_their_signs_cancel(converted, format_name, size):
    def root(a):
        values, vectors = tf.linalg.eigh(a)
        return tf.matmul(vectors * tf.sqrt(values)[:, None, :], vectors, transpose_b=True)

    a = positive(size, 3)
    (value,) = double(a)
    check(converted(lambda a: tf.matmul(root(a), root(a)), format_name, a)[0], value)


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize(
    "function",
    [
        lambda a: list(tf.linalg.eigh(a)),
        lambda a: tf.matmul(tf.linalg.eigh(a)[1], a),
        lambda a: tf.tanh(tf.linalg.eigh(a)[1]),
    ],
)
def test_a_sign_that_is_seen_is_refused(converted, format_name, function):
    with pytest.raises(KexportError, match="arbitrary"):
        converted(function, format_name, plain(2, 3, 3))
