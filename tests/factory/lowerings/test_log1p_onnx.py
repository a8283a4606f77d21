import numpy as np
import pytest
import tensorflow as tf

from kexport.testing.closeness import EACH, assert_close

TINY = np.concatenate([s * np.logspace(-37, -0.001, 400) for s in (-1, 1)])
X = np.concatenate([np.linspace(-0.999, 3, 20001), np.logspace(0, 38, 400), TINY])


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_log1p_is_relatively_that_of_float64(converted, dtype):
    x = X[np.abs(X) < (6e4 if dtype == "float16" else 1e39)].astype(dtype)
    x = x[x > -1]
    truth = np.log1p(x.astype("float64"))
    results, _ = converted(tf.math.log1p, "onnx", x)
    for (value,) in results:
        assert value.dtype == dtype
        assert_close(value, truth, ulps=8, scale=EACH)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_log1p_keeps_its_ends(converted, dtype):
    x = np.array([0.0, -0.0, np.inf, -1.0, -1.5, -np.inf, np.nan], dtype)
    with np.errstate(all="ignore"):
        truth = np.log1p(x)
    results, _ = converted(tf.math.log1p, "onnx", x)
    for (value,) in results:
        np.testing.assert_array_equal(value, truth)
