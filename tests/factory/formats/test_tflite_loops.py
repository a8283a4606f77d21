"""Values that a loop passes on to others, on the raw runtimes, with the counts of steps at which an error shows."""

import numpy as np
import pytest
import tensorflow as tf

from kexport.testing.closeness import assert_close

X = np.random.default_rng(0).normal(size=(2, 3)).astype("float32")


def looped(body, *start, steps=4):
    """A loop that counts, and the values behind it."""

    def function(x):
        values = [make(x) for make in start]
        return tf.while_loop(lambda i, *_: i < steps, lambda i, *given: (i + 1, *body(*given)), [0, *values])[1:]

    return function


def same(x):
    return x


def part(x):
    return x * 0.3


LOOPS = {
    "a recurrence of two": looped(lambda a, b: (a * 0.5 + b, a), same, part),
    "two that are swapped": looped(lambda a, b: (b, a), same, part),
    "three that rotate": looped(lambda a, b, c: (c, a, b), same, part, tf.square),
    "three that rotate the other way": looped(lambda a, b, c: (b, c, a), same, part, tf.square),
    "a line of delays": looped(lambda a, b, c, d: (a * 0.5 + d, a, b, c), same, part, tf.square, tf.sin),
    "one for two": looped(lambda a, b, c: (a * 0.5 + c, a, a), same, part, tf.square),
    "in order": looped(lambda c, b, a: (b, a, a * 0.5 + c), tf.square, part, same),
    "integers": looped(lambda a, b: (a + b, a), lambda x: tf.cast(x * 9, tf.int32), lambda x: tf.cast(x * 5, tf.int32)),
    "flags": looped(lambda a, b: (b, a), lambda x: x > 0, lambda x: x > 0.5, steps=3),
    "numbers": looped(lambda a, b: (a * 0.5 + b, a), tf.reduce_sum, tf.reduce_max),
}


@pytest.mark.parametrize("name", LOOPS)
def test_what_a_loop_passes_on_is_what_it_was(converted, name):
    results, _ = converted(LOOPS[name], "tflite", X)
    for values in results:
        for value, expected in zip(values, LOOPS[name](X), strict=True):
            assert_close(value, np.asarray(expected), ulps=4)


def test_the_condition_sees_what_was_passed_on(converted):
    def function(x):
        far = tf.while_loop(
            lambda i, a, b: (tf.reduce_sum(tf.abs(b - a)) > 0.3) & (i < 20),
            lambda i, a, b: (i + 1, a * 0.7, a),
            [0, x, x * 5.0],
        )
        return [far[0], far[2]]

    results, _ = converted(function, "tflite", X)
    for count, value in results:
        np.testing.assert_array_equal(count, function(X)[0])
        np.testing.assert_array_max_ulp(value, np.asarray(function(X)[1]), 4)


def test_a_recursive_filter_that_writes_its_steps(converted):
    def function(x):
        steps = tf.TensorArray(tf.float32, 12)
        newest = older = tf.zeros_like(x[:, 0])
        for i in tf.range(12):
            now = x[:, i] + 1.2 * newest - 0.5 * older
            steps = steps.write(i, now)
            older = newest
            newest = now
        return tf.transpose(steps.stack())

    signal = np.random.default_rng(1).normal(size=(3, 12)).astype("float32")
    expected = np.asarray(tf.function(function)(signal))
    results, _ = converted(tf.function(function), "tflite", signal)
    for (value,) in results:
        np.testing.assert_array_max_ulp(value, expected, 64)
