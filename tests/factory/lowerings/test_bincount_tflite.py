import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from kexport.testing.closeness import assert_close

X = np.random.default_rng(0).integers(0, 9, (3, 8))
WEIGHTS = np.random.default_rng(0).normal(size=(3, 8)).astype("float32")


@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_integers_are_counted_by_row(converted, dtype):
    truth = np.stack([np.bincount(row, minlength=9)[:6] for row in X])
    results, _ = converted(
        lambda x: [
            tf.math.bincount(x, minlength=6, maxlength=6, axis=-1),
            tf.math.bincount(x, minlength=6, maxlength=6, axis=-1, binary_output=True, dtype="float32"),
        ],
        "tflite", X.astype(dtype),
    )  # fmt: skip
    for counts, found in results:
        np.testing.assert_array_equal(counts, truth)
        np.testing.assert_array_equal(found, truth > 0)


def test_each_counts_what_it_weighs_and_the_size_may_follow_the_data(converted):
    truth = [np.bincount(*pair, minlength=X.max() + 1) for pair in zip(X, WEIGHTS.astype("float64"), strict=True)]
    results, _ = converted(lambda x, w: ops.bincount(x, weights=w, minlength=3), "tflite", X.astype("int32"), WEIGHTS)
    for (value,) in results:
        assert_close(value, truth, scale=1)
