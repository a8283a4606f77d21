"""Loops whose first two variables are not the count of their steps and its limit, as tf2onnx takes for granted."""

import numpy as np
import pytest
import tensorflow as tf

from kexport.testing.closeness import assert_close

X = np.random.default_rng(0).normal(size=(2, 5)).astype("float32")


def looped(x, start, step, go_on):
    """Row by row, each its place added to it; the second variable is that of the last row."""

    @tf.function(input_signature=[tf.TensorSpec([], tf.int32), tf.TensorSpec([], tf.int32), tf.TensorSpec([None, 5])])
    def body(place, last, y):
        return place + step, last, y * tf.cast(place + 2, tf.float32)

    @tf.function(input_signature=body.input_signature)
    def condition(place, last, y):
        return go_on(place, last)

    given = [tf.constant(start), tf.constant(4), x]
    loop = tf.raw_ops.StatelessWhile(
        input=given, cond=condition.get_concrete_function(), body=body.get_concrete_function()
    )
    return loop[2], loop[0]


@pytest.mark.parametrize("format_name", ["onnx", "tflite"])
@pytest.mark.parametrize(
    ("start", "step", "go_on"),
    [
        (4, -1, lambda place, last: place >= 0),
        (2, 1, lambda place, last: place < last),
        (0, 2, lambda place, last: place < last),
        (0, 1, lambda place, last: place < 2 * last),
        (0, 1, lambda place, last: place < last),
    ],
)
def test_a_loop_counts_as_it_is_written(converted, format_name, start, step, go_on):
    product, places = X.copy(), start
    while go_on(places, 4):
        product, places = product * (places + 2), places + step
    results, _ = converted(lambda x: looped(x, start, step, go_on), format_name, X)
    for value, place in results:
        assert place == places
        assert_close(value, product, ulps=8)
