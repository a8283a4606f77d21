import numpy as np
import pytest
import tensorflow as tf

from kexport.testing.closeness import assert_close

X = (40 * np.random.default_rng(0).normal(size=(6, 5))).astype("float32")


@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_cross_entropy_and_its_gradient_are_those_of_float64(converted, dtype):
    labels = np.arange(6, dtype=dtype) % 5
    exact = np.exp(X.astype("float64") - X.max(1, keepdims=True))
    probability = exact / exact.sum(1, keepdims=True)
    truth = -np.log(probability[np.arange(6), labels])
    results, _ = converted(
        lambda x, y: list(tf.raw_ops.SparseSoftmaxCrossEntropyWithLogits(features=x, labels=y)), "tflite", X, labels
    )
    for loss, gradient in results:
        assert_close(loss, truth)
        assert_close(gradient, probability - np.eye(5)[labels])
