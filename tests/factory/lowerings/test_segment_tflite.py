import numpy as np
import pytest
import tensorflow as tf

from kexport.testing.closeness import assert_close

X = np.random.default_rng(0).normal(size=(6, 3)).astype("float32")
NUMBERS = [0, 0, 2, 2, 2, 3]  # none is 1
CASES = {name: getattr(tf.math, f"segment_{name}") for name in ("sum", "mean", "max", "min", "prod")}
SPARSE = {name: getattr(tf.sparse, f"segment_{name}") for name in ("sum", "mean", "sqrt_n")}


@pytest.mark.parametrize("name", CASES)
def test_sorted_segments_are_those_of_tensorflow(converted, name):
    function = lambda x: CASES[name](tf.reshape(x, (6, 3)), NUMBERS)  # noqa: E731  called twice
    results, _ = converted(function, "tflite", X.reshape(1, 6, 3))
    for (value,) in results:
        assert_close(value, np.asarray(function(X)))


@pytest.mark.parametrize("name", SPARSE)
@pytest.mark.parametrize("count", [None, 5])
def test_segments_of_picked_rows_are_those_of_tensorflow(converted, name, count):
    function = lambda x: SPARSE[name](tf.reshape(x, (6, 3)), [0, 2, 2, 5], [0, 0, 2, 2], count)  # noqa: E731
    results, _ = converted(function, "tflite", X.reshape(1, 6, 3))
    for (value,) in results:
        assert_close(value, np.asarray(function(X)))
