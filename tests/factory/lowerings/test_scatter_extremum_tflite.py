import numpy as np
import pytest
import tensorflow as tf

RANDOM = np.random.default_rng(0)
X = RANDOM.integers(-9, 9, (3, 4, 5))
INDICES = np.array([[0, 1], [2, 3], [0, 1], [1, 0]], "int32")  # one place twice
UPDATES = RANDOM.integers(-9, 9, (4, 5))


@pytest.mark.parametrize("dtype", ["float32", "int32"])
@pytest.mark.parametrize(("name", "scatter"), [("max", np.maximum), ("min", np.minimum), ("sub", np.subtract)])
def test_every_update_of_a_place_is_heard(converted, name, scatter, dtype):
    x, updates = X.astype(dtype), UPDATES.astype(dtype)
    truth = x.copy()
    scatter.at(truth, tuple(INDICES.T), updates)
    results, _ = converted(
        lambda x, i, u: getattr(tf, f"tensor_scatter_nd_{name}")(x, i, u), "tflite", x, INDICES, updates
    )
    for (value,) in results:
        np.testing.assert_array_equal(value, truth)
