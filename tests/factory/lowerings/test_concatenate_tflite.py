"""Parts that are empty along the axis, which XNNPACK's kernel would take another for."""

import numpy as np
import pytest
import tensorflow as tf

X = np.random.default_rng(0).normal(size=(3, 4, 5)).astype("float32")
CASES = {
    "first": lambda x: tf.concat([x[:, :0], x], 1),
    "last, by a negative axis": lambda x: tf.concat([x, 2 * x, x[..., 5:]], -1),
    "among others": lambda x: tf.concat([x[:, 4:], x, x[:, :0], 3 * x], 1),
    "all": lambda x: tf.concat([x, tf.concat([x[:, :0], x[:, 4:]], 1), x], 1),
    "none": lambda x: tf.concat([x, x], 0),
}


@pytest.mark.parametrize("case", CASES)
def test_an_empty_part_adds_nothing(converted, case):
    outputs, _ = converted(CASES[case], "tflite", X)
    for (value,) in outputs:
        np.testing.assert_array_equal(value, CASES[case](X).numpy())


def test_what_has_no_empty_part_is_left_to_the_converter(converted):
    assert "CONCATENATION v1" in converted(CASES["none"], "tflite", X)[1]
    assert "CONCATENATION v1" not in converted(CASES["first"], "tflite", X)[1]
