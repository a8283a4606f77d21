import numpy as np
import pytest
import tensorflow as tf

from kexport import KexportError
from kexport.testing.closeness import assert_close

X = np.random.default_rng(1).normal(size=(3, 5, 4)).astype("float32")


def scan(x):
    """Running sums over the second axis, by a loop that reads from one list of tensors and writes to another."""
    steps = tf.shape(x)[1]
    given = tf.TensorArray(tf.float32, steps).unstack(tf.transpose(x, [1, 0, 2]))

    def body(index, total, made):
        total = total + given.read(index)
        return index + 1, total, made.write(index, total)

    start = (0, tf.zeros_like(x[:, 0]), tf.TensorArray(tf.float32, steps))
    _, total, made = tf.while_loop(lambda index, *_: index < steps, body, start)
    return made.stack(), total


@pytest.mark.parametrize("dynamic", [False, True])
def test_a_loop_over_lists_is_exact_for_dynamic_batch_and_time(converted, dynamic):
    results, operators = converted(scan, "tflite", X, dynamic=dynamic)
    assert any(name.startswith("DYNAMIC_UPDATE_SLICE") for name in operators)
    for made, total in results:
        assert_close(made, np.cumsum(X, 1).transpose(1, 0, 2))
        np.testing.assert_array_equal(total, made[-1])


def test_items_whose_sizes_only_a_first_step_can_tell_are_right_too(converted):
    def rows(x):
        made = tf.TensorArray(tf.float32, 2)
        _, made = tf.while_loop(
            lambda index, _: index < 2,
            lambda index, made: (index + 1, made.write(index, tf.repeat(x, 2, axis=0) * tf.cast(index, tf.float32))),
            (0, made),
        )
        return made.stack()

    results, _ = converted(rows, "tflite", X, dynamic=True)
    for (value,) in results:
        np.testing.assert_array_equal(value, np.stack([0 * np.repeat(X, 2, 0), np.repeat(X, 2, 0)]))


@pytest.mark.parametrize("dtype", ["int32", "int64", "bool", "float32"])
def test_items_never_written_are_zeros(converted, dtype):
    def first_only(x):
        made = tf.TensorArray(x.dtype, 3, element_shape=x.shape[1:])
        return made.write(0, x[0]).stack()

    x = np.asarray(X[:, 0] > 0).astype(dtype)
    results, _ = converted(first_only, "tflite", x)
    for (value,) in results:
        assert value.dtype == x.dtype
        np.testing.assert_array_equal(value, np.stack([x[0], 0 * x[0], 0 * x[0]]))


@pytest.mark.parametrize("format_name", ["tflite", "onnx"])
def test_a_list_grows_when_it_is_written_to_beyond_its_end(converted, format_name):
    def rows(x):
        made = tf.TensorArray(tf.float32, 0, dynamic_size=True)
        _, made = tf.while_loop(
            lambda index, _: index < 3, lambda index, made: (index + 1, made.write(2 * index, x[0])), (0, made)
        )
        return made.stack()

    results, _ = converted(rows, format_name, X[:, 0], dynamic=True)
    for (value,) in results:
        np.testing.assert_array_equal(value, X[0, 0] * np.array([[1], [0], [1], [0], [1]]))


@pytest.mark.parametrize("format_name", ["onnx", "tflite"])
def test_items_that_differ_in_size_outside_of_a_loop_are_refused_by_name(converted, format_name):
    def behind_each_other(x):
        items = tf.TensorArray(tf.float32, size=2, infer_shape=False)
        return tf.reshape(items.write(0, x[0, :2]).write(1, x[0, 1:]).concat(), [-1])

    with pytest.raises(KexportError, match="the items of a list of tensors differ in size"):
        converted(behind_each_other, format_name, np.ones((2, 5), "float32"))
