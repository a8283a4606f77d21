import numpy as np
import pytest
import tensorflow as tf
from _matrices import FORMATS, SIZES, check, double, plain, positive


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("lower", [False, True])
@pytest.mark.parametrize("adjoint", [False, True])
def test_only_one_triangle_is_read_and_its_equations_solved(converted, format_name, size, lower, adjoint):
    a, b = positive(size, 2, 3), plain(2, 3, size, 2)
    triangle = (np.tril if lower else np.triu)(a)
    triangle = triangle.swapaxes(-1, -2) if adjoint else triangle
    results, _ = converted(
        lambda a, b: tf.linalg.triangular_solve(a, b, lower=lower, adjoint=adjoint), format_name, a, b
    )
    check(results, np.linalg.solve(*double(triangle, b)))


@pytest.mark.parametrize("format_name", FORMATS)
def test_one_right_side_serves_every_matrix(converted, format_name):
    a, b = positive(4, 3), plain(4, 2)
    results, _ = converted(lambda a: tf.linalg.triangular_solve(a, tf.constant(b)), format_name, a, dynamic=True)
    (lower,) = double(np.tril(a))
    check(results, np.linalg.solve(lower, b))
