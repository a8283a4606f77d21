import numpy as np
import pytest
import tensorflow as tf

ROWS = np.sort(np.random.default_rng(0).integers(-4, 4, (2, 9)), 1)
VALUES = np.arange(-5, 7).reshape(2, 6)


@pytest.mark.parametrize("dtype", ["float32", "int32"])
@pytest.mark.parametrize("side", ["left", "right"])
def test_places_in_a_sorted_row_are_found(converted, side, dtype):
    rows, values = ROWS.astype(dtype), VALUES.astype(dtype)
    truth = np.stack([np.searchsorted(row, value, side) for row, value in zip(rows, values, strict=True)])
    results, _ = converted(lambda r, v: tf.searchsorted(r, v, side), "tflite", rows, values)
    for (value,) in results:
        np.testing.assert_array_equal(value, truth)


def test_infinities_are_at_the_ends(converted):
    rows, values = np.array([[-1, 0, 1]], "float32"), np.array([[np.inf, -np.inf]], "float32")
    results, _ = converted(lambda r, v: tf.searchsorted(r, v, "right"), "tflite", rows, values)
    for (value,) in results:
        np.testing.assert_array_equal(value, [[3, 0]])
