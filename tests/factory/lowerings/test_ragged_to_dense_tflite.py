import numpy as np
import pytest
import tensorflow as tf

X = np.random.default_rng(2).normal(size=(4, 6, 3)).astype("float32")


@pytest.mark.parametrize("shape", [None, (None, 6, 3), (None, 2, 3), (6, None, 3), (3, 4, 3)])
@pytest.mark.parametrize("limit", [0.5, 1.5, 9.0])
def test_kept_steps_move_to_the_front(converted, shape, limit):
    def kept(x):
        rows = tf.ragged.boolean_mask(x, tf.reduce_max(tf.abs(x), -1) > limit)
        return tf.ensure_shape(rows.to_tensor(-1.0, shape=shape), (None, None, 3))

    results, _ = converted(kept, "tflite", X)
    for (value,) in results:
        np.testing.assert_array_equal(value, kept(X))


def test_rows_may_be_given_by_the_row_of_each_value(converted):
    def rows(x):
        return tf.RaggedTensor.from_value_rowids(x, [0, 0, 2, 5, 5, 5], 7).to_tensor()

    values = X[0]
    results, _ = converted(lambda x: rows(tf.ensure_shape(x, (6, 3))), "tflite", values)
    for (value,) in results:
        np.testing.assert_array_equal(value, rows(values))
