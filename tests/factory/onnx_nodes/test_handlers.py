"""Handlers that stand in for tf2onnx' own: choice, comparison, casts that round."""

import numpy as np
import pytest
import tensorflow as tf

SPECIAL = np.array([[np.nan, np.inf, -np.inf, 0.0, -0.0, 1.5, -2.0]])
INTEGERS = ["int8", "uint8", "int16", "uint16", "int32", "int64", "uint32", "uint64"]
KINDS = ["bool", *INTEGERS, "float16", "float32", "float64"]


def test_what_is_not_chosen_does_not_matter_even_if_it_is_not_finite(converted):
    x = SPECIAL.astype("float32")
    results, operators = converted(lambda x: tf.where(tf.math.is_finite(x), x, 7.0), "onnx", x)
    assert "Where" in operators
    for (value,) in results:
        np.testing.assert_array_equal(value, np.where(np.isfinite(x), x, 7))


@pytest.mark.parametrize("dtype", KINDS)
def test_a_choice_keeps_every_value_of_every_dtype(converted, dtype):
    limits = (0, 1) if dtype == "bool" else (tf.as_dtype(dtype).min, tf.as_dtype(dtype).max)
    x = np.array([[limits[0], 1, 0], [limits[1], 0, 1]], dtype)
    chosen = np.array([[True], [False]])
    results, _ = converted(lambda c, x: tf.where(c, x, x[:, ::-1]), "onnx", chosen, x)
    for (value,) in results:
        np.testing.assert_array_equal(value, np.where(chosen, x, x[:, ::-1]))


def test_a_choice_of_whole_rows_is_one_of_rows(converted):
    chosen, x = np.array([True, False, True]), np.arange(12, dtype="float32").reshape(3, 4)
    results, _ = converted(lambda c, x: tf.raw_ops.Select(condition=c, x=x, y=-x), "onnx", chosen, x)
    for (value,) in results:
        np.testing.assert_array_equal(value, np.where(chosen[:, None], x, -x))


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "uint32", "int64", "float32"])
def test_neighbours_compare_as_what_they_are(converted, dtype):
    far = {"int32": 2**24, "uint32": 2**31, "int64": 2**53}.get(dtype, 8)
    x, y = np.array([[far, far + 1, far + 2]], dtype), np.array([[far + 1]], dtype)
    results, _ = converted(lambda x, y: [x < y, x > y, x <= y, x >= y], "onnx", x, y)
    for values in results:
        for value, truth in zip(values, (x < y, x > y, x <= y, x >= y), strict=True):
            np.testing.assert_array_equal(value, truth)


def test_nan_compares_with_nothing(converted):
    x = SPECIAL.astype("float32")
    results, _ = converted(lambda x: [x >= 1.0, x <= 1.0, x > 1.0, x < 1.0], "onnx", x)
    for values in results:
        assert not any(value[0, 0] for value in values)


@pytest.mark.parametrize("between", ["float16", "bfloat16", "int32", "int8", "bool"])
def test_a_cast_that_rounds_is_kept(converted, between):
    x = np.array([[0.1, 1.7, 3.14159, 100.2, 257.0, 259.0 if between != "int8" else 0.0]], "float32")
    x = x if between != "int8" else x.clip(0, 100)
    results, _ = converted(lambda x: tf.cast(tf.cast(x, between), "float32"), "onnx", x)
    truth = x.astype(tf.as_dtype(between).as_numpy_dtype).astype("float32")
    for (value,) in results:
        np.testing.assert_array_equal(value, truth)


def test_an_integer_that_float32_does_not_hold_is_rounded_to_it(converted):
    x = np.array([[2**24 + 1, -(2**24) - 1, 5]], "int32")
    results, _ = converted(lambda x: tf.cast(tf.cast(x, "float32"), "int32"), "onnx", x)
    for (value,) in results:
        np.testing.assert_array_equal(value, x.astype("float32").astype("int32"))


def test_ragged_rows_may_all_be_empty(converted):
    def kept(x):
        return tf.ragged.boolean_mask(x, x > 0.5).to_tensor(-1.0, shape=(None, x.shape[1]))

    for values in ([[0.1, 0.9, 0.2], [0.8, 0.7, 0.0]], [[0.1, 0.0, 0.2], [0.3, 0.4, 0.0]]):
        x = np.array(values, "float32")
        results, _ = converted(kept, "onnx", x)
        for (value,) in results:
            np.testing.assert_array_equal(value, kept(tf.constant(x)))
