import statistics

import numpy as np
import pytest
import tensorflow as tf

from kexport.testing.closeness import assert_close

NORMAL = statistics.NormalDist()


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_erfinv_is_that_of_float64_over_its_whole_domain(converted, dtype):
    x = np.concatenate([np.linspace(-0.999, 0.999, 2001), [1e-6, -1e-6, 1e-4, 0.0]]).astype(dtype)
    truth = np.array([NORMAL.inv_cdf((1 + float(value)) / 2) / 2**0.5 for value in x])
    precision = "float16" if dtype == "float16" else "float32"
    results, _ = converted(tf.math.erfinv, "onnx", x)
    for (value,) in results:
        assert value.dtype == dtype
        assert_close(value, truth, ulps=64, scale=np.maximum(np.abs(truth), 1e-6), dtype=precision)


def test_erfinv_ends_in_infinities_and_is_nothing_beyond(converted):
    x = np.array([-1.0, 1.0, 0.0, 1.5, np.nan], "float32")
    results, _ = converted(tf.math.erfinv, "onnx", x)
    for (value,) in results:
        np.testing.assert_array_equal(value, [-np.inf, np.inf, 0, np.nan, np.nan])
