import numpy as np
import pytest
import tensorflow as tf

KINDS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]


@pytest.mark.parametrize("dtype", KINDS)
def test_shifts_keep_the_sign_and_drop_what_leaves_over_the_whole_range(converted, dtype):
    info = np.iinfo(dtype)
    near = [info.min, info.min + 1, info.max // 3, info.max - 1, info.max, 0, 1, 2, 100]
    x = np.array([near + ([] if info.min == 0 else [-1, -2, -100])], dtype)
    counts = np.array([[0], [1], [info.bits // 2], [info.bits - 1]], dtype)
    x = np.repeat(x, len(counts), 0)
    results, _ = converted(lambda x, n: [tf.bitwise.left_shift(x, n), tf.bitwise.right_shift(x, n)], "onnx", x, counts)
    for left, right in results:
        np.testing.assert_array_equal(left, np.left_shift(x, counts))
        np.testing.assert_array_equal(right, np.right_shift(x, counts))
