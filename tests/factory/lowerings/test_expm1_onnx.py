import numpy as np
import pytest
import tensorflow as tf

from kexport.testing.closeness import EACH, assert_close

TINY = np.concatenate([s * np.logspace(-37, 0, 400) for s in (-1, 1)])
X = np.concatenate([np.linspace(-120, 88, 20001), TINY])


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_expm1_is_relatively_that_of_float64(converted, dtype):
    x = X[np.abs(X) < (10 if dtype == "float16" else 200)].astype(dtype)
    truth = np.expm1(x.astype("float64"))
    results, _ = converted(tf.math.expm1, "onnx", x)
    for (value,) in results:
        assert value.dtype == dtype
        assert_close(value, truth, ulps=8, scale=EACH)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_expm1_keeps_its_ends(converted, dtype):
    x = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, -1e30, 1e30], dtype)
    with np.errstate(over="ignore"):
        truth = np.expm1(x)
    results, _ = converted(tf.math.expm1, "onnx", x)
    for (value,) in results:
        np.testing.assert_array_equal(value, truth)
