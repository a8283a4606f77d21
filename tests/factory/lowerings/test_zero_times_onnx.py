import numpy as np
import pytest
import tensorflow as tf

from kexport.testing.closeness import EACH, assert_close

X = np.array([[0, 0, 0, 0, 1.5, -2, 3]])
Y = np.array([[0, np.inf, np.nan, -1, 2.5, 0.5, 1e-3]])
FUNCTIONS = {
    tf.math.xlogy: lambda x, y: x * np.log(y),
    tf.math.xlog1py: lambda x, y: x * np.log1p(y),
    tf.math.xdivy: lambda x, y: x / y,
}


@pytest.mark.parametrize("function", list(FUNCTIONS), ids=["xlogy", "xlog1py", "xdivy"])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_zero_times_anything_is_zero(converted, function, dtype):
    x, y = X.astype(dtype), Y.astype(dtype)
    with np.errstate(all="ignore"):
        truth = np.where(x == 0, 0, FUNCTIONS[function](x.astype("float64"), y.astype("float64")))
    results, _ = converted(function, "onnx", x, y)
    for (value,) in results:
        assert_close(value, truth, scale=EACH)
