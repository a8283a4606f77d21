import numpy as np
import pytest
import tensorflow as tf

from kexport.testing.closeness import EACH, assert_close

X = np.random.default_rng(0).uniform(-2, 2, (3, 7, 5)).astype("float32")
X[1, 2, 3] = 0
N = np.random.default_rng(0).integers(-9, 9, (3, 7, 5)).astype("int32")


@pytest.mark.parametrize("dynamic", [False, True])
@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("x", [X, N], ids=["float32", "int32"])
def test_running_products_are_those_of_float64(converted, x, axis, dynamic):
    results, _ = converted(lambda x: tf.math.cumprod(x, axis), "tflite", x, dynamic=dynamic)
    for (value,) in results:
        assert_close(value, np.cumprod(x.astype(x.dtype.kind + "8"), axis).astype(x.dtype), ulps=8, scale=EACH)


@pytest.mark.parametrize(("exclusive", "reverse"), [(True, False), (False, True), (True, True)])
def test_running_products_may_exclude_and_turn(converted, exclusive, reverse):
    results, _ = converted(lambda x: tf.math.cumprod(x, 1, exclusive, reverse), "tflite", X)
    turned = X.astype("float64")[:, ::-1] if reverse else X.astype("float64")
    ones = np.ones_like(turned[:, :1])
    truth = np.cumprod(np.concatenate([ones, turned[:, :-1]], 1) if exclusive else turned, 1)
    for (value,) in results:
        assert_close(value, truth[:, ::-1] if reverse else truth, ulps=8, scale=EACH)
