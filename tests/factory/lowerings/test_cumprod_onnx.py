import numpy as np
import pytest
import tensorflow as tf


@pytest.mark.parametrize("axis", [-1, -2, 1])
@pytest.mark.parametrize("exclusive", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
def test_products_run_along_an_axis_counted_from_either_end(converted, axis, exclusive, reverse):
    x = np.random.default_rng(0).integers(-3, 4, (2, 3, 4)).astype("float32")
    truth = np.flip(x, axis) if reverse else x
    truth = np.cumprod(truth, axis)
    if exclusive:
        truth = np.roll(truth, 1, axis)
        np.moveaxis(truth, axis, 0)[0] = 1
    truth = np.flip(truth, axis) if reverse else truth
    results, _ = converted(lambda x: tf.math.cumprod(x, axis, exclusive, reverse), "onnx", x)
    for (value,) in results:
        np.testing.assert_array_equal(value, truth)
