import numpy as np
import pytest
import tensorflow as tf

BOOLS = np.random.default_rng(0).random((3, 4, 5)) > 0.5
LONGS = np.random.default_rng(0).integers(-(2**63), 2**63 - 1, (3, 4, 5), "int64")
LONGS[0] = LONGS[0, :1, :1]  # equals: the first is named


@pytest.mark.parametrize("x", [BOOLS, LONGS], ids=["bool", "int64"])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_places_of_bools_and_long_integers_are_found(converted, x, axis):
    results, _ = converted(lambda x: [tf.argmax(x, axis), tf.argmin(x, axis)], "tflite", x)
    for largest, smallest in results:
        np.testing.assert_array_equal(largest, x.argmax(axis))
        np.testing.assert_array_equal(smallest, x.argmin(axis))
