import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from kexport.errors import ExportError
from kexport.factory.lowerings._places import digits, place
from kexport.testing.closeness import EACH, assert_close

X = np.random.default_rng(0).normal(size=(3, 11, 5)).astype("float32")
METHODS = ["linear", "lower", "higher", "nearest", "midpoint"]


@pytest.mark.parametrize("method", METHODS)
def test_quantiles_sit_at_the_place_of_float64(converted, method):
    results, _ = converted(lambda x: ops.quantile(x, [0.1, 0.3, 0.5, 1.0], axis=1, method=method), "tflite", X)
    for (value,) in results:
        assert_close(value, ops.quantile(X, [0.1, 0.3, 0.5, 1.0], axis=1, method=method), scale=EACH)


@pytest.mark.parametrize("axis", [None, 0, 1, (1, 2)])
@pytest.mark.parametrize("count", [10, 11])
def test_the_median_is_found_where_sizes_are_unknown(converted, axis, count):
    x = X[:, :count]
    results, _ = converted(lambda x: ops.median(x, axis), "tflite", x, dynamic=True)
    for (value,) in results:
        assert_close(value, np.median(x, axis), scale=EACH)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("count", [2, 10, 11, 257, 1001])
def test_any_quantile_is_found_where_sizes_are_unknown(converted, method, count):
    x = np.random.default_rng(count).normal(size=(2, count, 3)).astype("float32")
    shares = [0.0, 0.001, 0.1, 0.25, 0.3, 0.5, 0.6, 0.999, 1.0]
    results, _ = converted(lambda x: ops.quantile(x, shares, axis=1, method=method), "tflite", x, dynamic=True)
    for (value,) in results:
        assert_close(value, ops.quantile(x, shares, axis=1, method=method), scale=EACH)


def test_places_are_those_of_float64_up_to_the_largest_size():
    sizes = np.unique(np.concatenate([np.arange(300), np.random.default_rng(0).integers(300, 65536, 3000), [65536]]))
    for share in np.array([0.1, 0.25, 0.3, 0.6, 0.999, 1 / 3, 2.0**-9, 1.0], "float32").astype("float64"):
        exact = sizes * share  # 16 and 24 bits: float64 has room for the product
        found = place(tf.constant(sizes, tf.float32), digits(share))
        for kind, function in (("Floor", np.floor), ("Ceil", np.ceil), ("Round", np.round)):
            np.testing.assert_array_equal(found.rounded(kind), function(exact))
        assert_close(np.asarray(found.fraction), exact - np.floor(exact), ulps=1, scale=1)


def test_what_float32_cannot_say_exactly_is_refused(converted):
    with pytest.raises(ExportError, match="Mul"):
        converted(lambda x: ops.cast(x, "float64") * 2, "tflite", X)
