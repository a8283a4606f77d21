import numpy as np
import pytest
import tensorflow as tf
from _matrices import FORMATS, SIZES, check, double, plain, regular


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dynamic", [False, True])
def test_determinants_are_those_of_float64(converted, format_name, size, dynamic):
    a = (regular(size, 2, 3) / (2 * np.sqrt(size))).astype("float32")
    check(converted(tf.linalg.det, format_name, a, dynamic=dynamic)[0], np.linalg.det(*double(a)))


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize("size", SIZES)
def test_the_logarithm_and_the_sign_do_not_overflow(converted, format_name, size):
    a = regular(size, 4) * np.float32(1e6)
    results, _ = converted(lambda x: list(tf.linalg.slogdet(x)), format_name, a)
    check(results, *np.linalg.slogdet(*double(a)))


@pytest.mark.parametrize("format_name", FORMATS)
def test_a_singular_matrix_has_the_determinant_zero(converted, format_name):
    a = plain(3, 4, 4)
    a[0, :, 1], a[1, 2], a[2] = 0, 0, 0
    check(converted(tf.linalg.det, format_name, a)[0], np.zeros(3))
