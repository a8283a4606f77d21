import numpy as np
import pytest
import tensorflow as tf


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32"])
def test_the_cross_product_is_that_of_numpy(converted, dtype):
    a, b = np.random.default_rng(0).integers(-9, 9, (2, 4, 5, 3)).astype(dtype)
    results, _ = converted(tf.linalg.cross, "onnx", a, b)
    for (value,) in results:
        np.testing.assert_array_equal(value, np.cross(a, b))
