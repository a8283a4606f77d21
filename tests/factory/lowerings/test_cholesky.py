import numpy as np
import pytest
import tensorflow as tf
from _matrices import FORMATS, SIZES, check, double, positive


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dynamic", [False, True])
def test_factors_are_those_of_float64(converted, format_name, size, dynamic):
    a = positive(size, 2, 3)
    check(converted(tf.linalg.cholesky, format_name, a, dynamic=dynamic)[0], np.linalg.cholesky(*double(a)))


@pytest.mark.parametrize("format_name", FORMATS)
def test_the_upper_triangle_is_not_read(converted, format_name):
    a = positive(4, 3)
    lower = np.tril(a) + np.triu(np.full_like(a, 7), 1)
    check(converted(tf.linalg.cholesky, format_name, lower)[0], np.linalg.cholesky(*double(a)))
