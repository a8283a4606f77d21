import numpy as np
import pytest
import tensorflow as tf

X = np.random.default_rng(0).normal(size=(6, 2)).astype("float32")


@pytest.mark.parametrize("stitch", [tf.raw_ops.DynamicStitch, tf.raw_ops.ParallelDynamicStitch])
def test_the_last_row_of_a_place_is_put_there(converted, stitch):
    first, second = np.array([3, 0, 1], "int32"), np.array([[1, 2]], "int32")

    def stitched(one, other, x, y):
        return stitch(indices=[one, other], data=[x, y])

    wanted = np.stack([X[1], X[3], X[4], X[0]])
    for (value,) in converted(stitched, "tflite", first, second, X[:3], X[None, 3:5])[0]:
        np.testing.assert_array_equal(value, wanted)


@pytest.mark.parametrize("size", [1, 2, 7])
def test_what_was_sorted_into_parts_is_put_together_again(converted, size):
    numbers = np.arange(size, dtype="int32") % 3 // 2 * 2
    x = np.resize(X, (size, 2))

    def again(x, numbers):
        places = tf.dynamic_partition(tf.range(tf.size(numbers)), numbers, 3)
        return tf.dynamic_stitch(places, tf.dynamic_partition(x, numbers, 3))

    for (value,) in converted(again, "tflite", x, numbers)[0]:
        np.testing.assert_array_equal(value, x)
