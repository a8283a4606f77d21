import numpy as np
import pytest
import tensorflow as tf

UFUNCS = {"sum": (np.add, 0), "prod": (np.multiply, 1), "max": (np.maximum, None), "min": (np.minimum, None)}


@pytest.mark.parametrize("reduction", list(UFUNCS))
@pytest.mark.parametrize("dtype", ["float32", "int32", "int64"])
def test_negative_segments_are_left_out_and_empty_ones_neutral(converted, reduction, dtype):
    data = (np.arange(12).reshape(6, 2) % 7 - 3).astype(dtype)
    segments = np.array([0, -1, 3, 0, 1, -5], "int32")
    ufunc, neutral = UFUNCS[reduction]
    neutral = {"max": tf.as_dtype(dtype).min, "min": tf.as_dtype(dtype).max}.get(reduction, neutral)
    truth = np.full((4, 2), neutral, dtype)
    ufunc.at(truth, segments[segments >= 0], data[segments >= 0])
    function = getattr(tf.math, f"unsorted_segment_{reduction}")
    results, _ = converted(lambda x, s: function(x, s, 4), "onnx", data, segments)
    for (value,) in results:
        np.testing.assert_array_equal(value, truth)


def test_segments_may_have_axes_and_rows_none(converted):
    data, segments = np.array([[1.0, 2.0], [3.0, 4.0]], "float32"), np.array([[2, 0], [2, -1]])
    results, _ = converted(lambda x, s: tf.math.unsorted_segment_sum(x, s, 3), "onnx", data, segments)
    for (value,) in results:
        np.testing.assert_array_equal(value, [2, 0, 4])
