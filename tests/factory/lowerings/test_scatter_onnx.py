import numpy as np
import pytest
import tensorflow as tf

INDICES = np.array([[0, 1], [2, 3], [0, 1], [2, 0], [0, 1]])
UFUNCS = {"add": np.add, "sub": np.subtract, "max": np.maximum, "min": np.minimum}


@pytest.mark.parametrize("dtype", ["float32", "float64", "int8", "int32", "int64"])
def test_what_falls_on_one_place_is_summed(converted, dtype):
    updates = np.arange(10).reshape(5, 2).astype(dtype)
    truth = np.zeros((3, 4, 2), dtype)
    np.add.at(truth, tuple(INDICES.T), updates)
    results, _ = converted(lambda i, u: tf.scatter_nd(i, u, (3, 4, 2)), "onnx", INDICES, updates)
    for (value,) in results:
        np.testing.assert_array_equal(value, truth)


@pytest.mark.parametrize("reduction", list(UFUNCS))
@pytest.mark.parametrize("dtype", ["float32", "int32"])
def test_every_reduction_meets_a_place_as_often_as_it_is_named(converted, reduction, dtype):
    target = np.arange(24).reshape(3, 4, 2).astype(dtype)
    updates = (np.arange(10).reshape(5, 2) * 3 - 9).astype(dtype)
    truth = target.copy()
    UFUNCS[reduction].at(truth, tuple(INDICES.T), updates)
    function = getattr(tf, f"tensor_scatter_nd_{reduction}")
    results, _ = converted(function, "onnx", target, INDICES, updates, dynamic=True)
    for (value,) in results:
        np.testing.assert_array_equal(value, truth)


def test_a_shape_known_when_it_runs_and_many_updates_of_one_place(converted):
    places, updates = np.zeros((5000, 1), "int32"), np.ones((5000, 64), "float32")
    results, _ = converted(lambda i, u: tf.scatter_nd(i, u, tf.shape(u)), "onnx", places, updates, dynamic=True)
    for (value,) in results:
        assert (value[0] == 5000).all()
        assert not value[1:].any()
