import pytest
import tensorflow as tf
from _matrices import FORMATS, SIZES, check, double, plain


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("more", [(0, 0), (3, 0), (0, 3)])
@pytest.mark.parametrize("full", [False, True])
def test_factors_have_the_signs_of_float64(converted, format_name, size, more, full):
    a = plain(2, size + more[0], size + more[1])
    truths = [factor.numpy() for factor in tf.linalg.qr(*double(a), full_matrices=full)]
    check(converted(lambda x: list(tf.linalg.qr(x, full_matrices=full)), format_name, a)[0], *truths)
