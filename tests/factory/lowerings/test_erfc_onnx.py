import math

import numpy as np
import tensorflow as tf

from kexport.testing.closeness import assert_close

X = np.linspace(-12, 12, 20001).astype("float32")


def test_erfc_is_that_of_float64_over_its_whole_domain(converted):
    truth = np.vectorize(math.erfc)(X.astype("float64"))
    results, operators = converted(tf.math.erfc, "onnx", X)
    assert "Erf" in operators
    for (value,) in results:
        assert_close(value, truth, ulps=2, scale=1)


def test_exact_gelu_keeps_its_tail(converted):
    truth = X.astype("float64") * np.vectorize(math.erfc)(-X.astype("float64") / math.sqrt(2)) / 2
    (((value,),), _) = converted(lambda x: tf.nn.gelu(x, approximate=False), "onnx", X)
    assert_close(value, truth, ulps=2, scale=12)


def test_that_of_float64_is_lowered_once_more(converted):
    """onnxruntime has no kernel for an error function of float64."""
    x = X.astype("float64")
    results, _ = converted(tf.math.erfc, "onnx", x)
    for (value,) in results:
        assert value.dtype == np.float64
        assert_close(value, np.vectorize(math.erfc)(x), ulps=2, scale=1, dtype="float32")
