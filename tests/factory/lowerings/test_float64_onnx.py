import numpy as np
import pytest
import tensorflow as tf

from kexport.testing.closeness import assert_close

DOMAINS = {
    "tan": (-1.5, 1.5), "sinh": (-8, 8), "cosh": (-8, 8), "asinh": (-9, 9), "acosh": (1, 9), "atanh": (-0.99, 0.99),
    "atan": (-9, 9), "asin": (-1, 1), "acos": (-1, 1),
}  # fmt: skip


@pytest.mark.parametrize("name", list(DOMAINS))
def test_functions_of_float64_have_the_digits_of_float32(converted, name):
    x = np.linspace(*DOMAINS[name], 1001)
    numpy_name = {"a": "arc"}.get(name[0], name[0]) + name[1:]
    truth = getattr(np, numpy_name)(x)
    results, _ = converted(getattr(tf.math, name), "onnx", x)
    for (value,) in results:
        assert value.dtype == np.float64
        assert_close(value, truth, ulps=1024, scale=np.abs(truth), dtype="float32")
