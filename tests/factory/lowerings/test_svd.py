import numpy as np
import pytest
import tensorflow as tf
from _matrices import FORMATS, SIZES, check, double, plain

from kexport import KexportError
from kexport.testing.closeness import EACH, assert_close


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize("size", [*SIZES, 20])
@pytest.mark.parametrize("more", [(0, 0), (2, 0), (0, 2)])
def test_singular_values_descend_and_are_those_of_float64(converted, format_name, size, more):
    a = plain(3, size + more[0], size + more[1])
    results, _ = converted(lambda x: tf.linalg.svd(x, compute_uv=False), format_name, a)
    check(results, np.linalg.svd(*double(a), compute_uv=False))


@pytest.mark.parametrize("format_name", FORMATS)
def test_small_singular_values_keep_their_digits(converted, format_name):
    a = np.stack([np.ones((4, 3)), np.zeros((4, 3)), np.eye(4, 3) * [1, 1e-4, 1e-9]]).astype("float32")
    results, _ = converted(lambda x: tf.linalg.svd(x, compute_uv=False), format_name, a)
    check(results, np.linalg.svd(*double(a), compute_uv=False))
    for (value,) in results:
        assert_close(value[2], [1, 1e-4, 1e-9], ulps=64, scale=EACH)


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 4)])
def test_the_pseudoinverse_is_that_of_float64(converted, format_name, shape):
    a = plain(3, *shape)
    a[1, 1] = a[1, 0]  # of lower rank
    check(converted(lambda x: tf.linalg.pinv(x, rcond=1e-4), format_name, a)[0], np.linalg.pinv(*double(a)))


@pytest.mark.parametrize("format_name", FORMATS)
def test_a_sign_that_is_seen_is_refused(converted, format_name):
    with pytest.raises(KexportError, match="arbitrary"):
        converted(lambda a: list(tf.linalg.svd(a)), format_name, plain(2, 3, 3))
