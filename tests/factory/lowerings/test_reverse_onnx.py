import numpy as np
import pytest
import tensorflow as tf

X = np.arange(2 * 3 * 4).reshape(2, 3, 4)


@pytest.mark.parametrize("axes", [[0], [1], [-1], [0, 2], [0, 1, 2]])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64", "bool"])
def test_a_reversal_is_one_node_for_every_dtype(converted, axes, dtype):
    x = (X % 3).astype(dtype)
    results, operators = converted(lambda x: tf.reverse(x, axes), "onnx", x, dynamic=True)
    assert operators == {"Slice"}
    for (value,) in results:
        np.testing.assert_array_equal(value, np.flip(x, axes))


def test_a_reversal_that_undoes_another_needs_no_node(converted):
    results, operators = converted(lambda x: tf.reverse(tf.reverse(x, [1, 0]), [0, 1]), "onnx", X.astype("float32"))
    assert operators <= {"Identity"}
    for (value,) in results:
        np.testing.assert_array_equal(value, X)


def test_a_reversal_of_a_reversal_along_another_axis_is_both(converted):
    results, _ = converted(lambda x: tf.reverse(tf.reverse(x, [1]), [2]), "onnx", X.astype("float32"))
    for (value,) in results:
        np.testing.assert_array_equal(value, X[:, ::-1, ::-1])
