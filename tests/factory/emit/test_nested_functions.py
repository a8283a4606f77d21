"""Loops and choices inside each other, and lists that are written to at any depth of them."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kexport.testing.closeness import assert_close

X = np.random.default_rng(3).normal(size=(3, 4, 5)).astype("float32")
FORMATS = pytest.mark.parametrize("format_name", ["onnx", "tflite"])


def right(converted, format_name, function):
    (wanted,) = tf.nest.flatten(tf.function(function, autograph=False)(tf.constant(X)))
    results, _ = converted(function, format_name, X)
    for (value,) in results:
        assert_close(value, wanted, ulps=64)


@FORMATS
def test_a_loop_in_a_loop_in_a_loop_counts_for_itself(converted, format_name):
    def summed(x):
        def over(limit, step, total):
            return tf.while_loop(lambda i, _: i < limit, lambda i, total: (i + 1, step(i, total)), (0, total))[1]

        def inner(i, j):
            return lambda k, total: total + x[:, i, k] * x[:, j, 0] * tf.cast(i + 2 * j + 3 * k, tf.float32)

        return over(
            4, lambda i, total: over(i + 1, lambda j, total: over(j + 1, inner(i, j), total), total), x[:, 0, 0]
        )

    right(converted, format_name, summed)


@FORMATS
def test_a_list_is_written_to_in_an_inner_loop(converted, format_name):
    def pairs(x):
        def inner(i, made):
            return tf.while_loop(
                lambda j, _: j < 4, lambda j, made: (j + 1, made.write(4 * i + j, x[:, i] - x[:, j])), (0, made)
            )[1]

        made = tf.TensorArray(tf.float32, 16)
        _, made = tf.while_loop(lambda i, _: i < 4, lambda i, made: (i + 1, inner(i, made)), (0, made))
        return [made.stack()]

    right(converted, format_name, pairs)


@FORMATS
@pytest.mark.parametrize("cases", [2, 3])
def test_a_list_is_written_to_in_a_branch(converted, format_name, cases):
    def chosen(x):
        def step(i, made):
            branches = [lambda k=k: made.write(i, x[:, k] * (k + 1)) for k in range(cases)]
            if cases == 2:
                return i + 1, tf.cond(tf.reduce_sum(x[:, 1]) > 0, *branches)
            return i + 1, tf.switch_case(i, branches)

        made = tf.TensorArray(tf.float32, 3)
        return [tf.while_loop(lambda i, _: i < 3, step, (0, made))[1].stack()]

    right(converted, format_name, chosen)


@FORMATS
def test_a_list_that_a_loop_makes_is_another_in_each_step(converted, format_name):
    def products(x):
        def row(i):
            made = tf.TensorArray(tf.float32, 4)
            step = lambda j, made: (j + 1, made.write(j, tf.reduce_sum(x[:, i] * x[:, j], -1)))  # noqa: E731
            return tf.while_loop(lambda j, _: j < 4, step, (0, made))[1].stack()

        made = tf.TensorArray(tf.float32, 4)
        return [tf.while_loop(lambda i, _: i < 4, lambda i, made: (i + 1, made.write(i, row(i))), (0, made))[1].stack()]

    right(converted, format_name, products)


@FORMATS
def test_items_are_scattered_and_concatenated(converted, format_name):
    def scattered(x):
        made = tf.TensorArray(tf.float32, 4, infer_shape=False).scatter([3, 1, 0, 2], tf.transpose(x, [1, 0, 2]))
        return tf.ensure_shape(made.concat(), (None, 5))

    right(converted, format_name, scattered)


@FORMATS
def test_a_list_without_any_item_is_refused_by_its_own_name(converted, format_name):
    from kexport.errors import ExportError

    def empty(x):
        made = tf.TensorArray(tf.float32, 3)
        _, made = tf.while_loop(lambda i, _: i < 3, lambda i, made: (i + 1, made), (0, made))
        return tf.reshape(made.stack(), (-1, 1))

    with pytest.raises(ExportError, match="TensorListReserve") as caught:
        converted(empty, format_name, X)
    assert "element_shape=" in str(caught.value)


@FORMATS
def test_an_axis_that_is_computed_around_a_branch_and_a_loop_is_a_constant_inside(converted, format_name):
    def swept(x):
        axis = tf.where(tf.constant(1) >= 0, tf.constant(1), tf.rank(x) - 1)  # as Keras' associative_scan has it
        branches = [lambda sign=sign: tf.concat([x, sign * x], axis + 1) for sign in (1, -1)]
        either = tf.cond(tf.reduce_sum(x) > 0, *branches)
        looped = tf.while_loop(lambda i, _: i < 3, lambda i, y: (i + 1, y + tf.cumsum(x, axis)), (0, x))[1]
        return tf.concat([either, looped], axis + 1)

    right(converted, format_name, swept)


@FORMATS
def test_a_choice_that_a_constant_makes_leaves_the_other_branch_out(converted, format_name):
    right(converted, format_name, lambda x: tf.cond(tf.equal(tf.rank(x), tf.constant(3)), lambda: x * 2, lambda: x - 1))


@FORMATS
def test_an_associative_scan_along_an_axis_of_odd_length(converted, format_name):
    right(converted, format_name, lambda x: keras.ops.associative_scan(lambda a, b: a + b, x[..., :3], axis=2))
