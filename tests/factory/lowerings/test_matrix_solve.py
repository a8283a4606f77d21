import numpy as np
import pytest
import tensorflow as tf
from _matrices import FORMATS, SIZES, check, double, plain, regular


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize("size", SIZES)
def test_equations_are_solved_whatever_the_order_of_rows(converted, format_name, size):
    a, b = regular(size, 3), plain(3, size, 2)
    check(converted(tf.linalg.solve, format_name, a, b)[0], np.linalg.solve(*double(a, b)))


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("adjoint", [False, True])
def test_inverses_are_those_of_float64(converted, format_name, size, adjoint):
    a = regular(size, 2, 3)
    truth = np.linalg.inv(*double(a))
    results, _ = converted(lambda x: tf.linalg.inv(x, adjoint=adjoint), format_name, a)
    check(results, truth.swapaxes(-1, -2) if adjoint else truth)


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize("size", [3, 8])
def test_the_size_may_be_known_from_the_data_alone(converted, format_name, size):
    a, b = regular(size, 2, 3), plain(2, 3, size, 4)
    check(converted(tf.linalg.solve, format_name, a, b, dynamic=True)[0], np.linalg.solve(*double(a, b)))
    check(converted(tf.linalg.inv, format_name, a, dynamic=True)[0], np.linalg.inv(*double(a)))


@pytest.mark.parametrize("format_name", FORMATS)
def test_a_pivot_of_zero_is_avoided(converted, format_name):
    a = np.array([[[0, 1, 0], [0, 0, 2], [4, 0, 0]]], "float32")
    check(converted(tf.linalg.inv, format_name, a)[0], np.linalg.inv(*double(a)))
