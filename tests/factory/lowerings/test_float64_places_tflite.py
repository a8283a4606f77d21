import numpy as np
import pytest
from keras import ops

from kexport.errors import ExportError
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


@pytest.mark.parametrize("function", [lambda x: ops.quantile(x, 0.3, axis=0), lambda x: ops.cast(x, "float64") * 2])
def test_what_float32_cannot_say_exactly_is_refused(converted, function):
    with pytest.raises(ExportError, match="Mul"):
        converted(function, "tflite", X)
