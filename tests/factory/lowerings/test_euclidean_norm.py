import numpy as np
import pytest
import tensorflow as tf

from kexport.testing.closeness import assert_close

X = np.random.default_rng(0).normal(size=(3, 4, 5)).astype("float32")


@pytest.mark.parametrize("format_name", ["onnx", "tflite"])
@pytest.mark.parametrize(("axes", "keeps"), [(-1, False), ([1, 2], True)])
def test_norm_is_that_of_float64(converted, format_name, axes, keeps):
    truth = np.sqrt(np.sum(X.astype("float64") ** 2, tuple(np.atleast_1d(axes)), keepdims=keeps))
    results, _ = converted(lambda x: tf.math.reduce_euclidean_norm(x, axes, keeps), format_name, X)
    for (value,) in results:
        assert_close(value, truth)
