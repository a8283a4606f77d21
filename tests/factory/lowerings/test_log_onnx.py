import numpy as np
import pytest
import tensorflow as tf

from kexport.testing.closeness import EACH, assert_close

X = np.concatenate(
    [[np.nan, np.inf, -np.inf, 0.0, -1.0, 1.0, 6e-5], np.linspace(0.9, 1.1, 101), np.logspace(-4, 4, 99)]
)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_the_logarithm_has_the_digits_of_its_dtype(converted, dtype):
    x = X.astype(dtype)
    with np.errstate(all="ignore"):
        truth = np.log(x.astype("float64"))
    results, _ = converted(tf.math.log, "onnx", x)
    for (value,) in results:
        assert value.dtype == dtype
        assert_close(value, truth, ulps=2, scale=EACH)
