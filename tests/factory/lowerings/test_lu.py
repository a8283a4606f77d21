import numpy as np
import pytest
import scipy.linalg
import tensorflow as tf
from _matrices import FORMATS, SIZES, check, double, plain


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize("size", SIZES)
def test_factors_and_the_order_of_rows_are_those_of_float64(converted, format_name, size):
    a = plain(3, size, size) + 3 * np.eye(size, dtype="float32")[::-1]
    parts = [scipy.linalg.lu(matrix, p_indices=True) for matrix in double(a)[0]]
    order = np.stack([np.argsort(p) for p, _, _ in parts])
    truth = np.stack([np.tril(lower, -1) + upper for _, lower, upper in parts])
    for factors, rows in converted(lambda x: list(tf.linalg.lu(x)), format_name, a)[0]:
        check([[factors]], truth)
        assert rows.dtype == np.int32
        np.testing.assert_array_equal(rows, order)
