"""Half precision, held as float32 and rounded, gives the bits that TensorFlow's kernels give."""

from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from kexport.factory.emit import half_kernels, half_precision

FORMATS = pytest.mark.parametrize("form", ["onnx", "tflite"])
HALVES = pytest.mark.parametrize("half", [tf.float16, tf.bfloat16], ids=["float16", "bfloat16"])
RNG = np.random.default_rng(0)
#: Every finite float16.
EVERY = np.arange(2**16, dtype=np.uint16).view("float16")
EVERY = EVERY[np.isfinite(EVERY)]
#: Of two numbers that float16 or bfloat16 has next to each other, the middle and what lies around it.
TIES = np.array([1, 2, 1024, 3e4, 6.1e-5, 2.0**-14, 2.0**-23], "float32")[:, None] * np.array(
    [1 + k * 2.0**-p + d for p in (8, 11) for k in (1, 3, 5) for d in (-(2.0**-20), 0, 2.0**-20)], "float32"
)


def same(ours, theirs):
    theirs = np.asarray(tf.cast(theirs, tf.float32) if theirs.dtype == tf.bfloat16 else theirs)
    assert ours.dtype == theirs.dtype
    np.testing.assert_array_equal(ours, theirs)


@FORMATS
@HALVES
def test_rounds_to_nearest_and_ties_to_even(converted, form, half):
    x = np.concatenate([TIES.ravel(), -TIES.ravel(), [0, 65503, 65519, 1e-8]]).astype("float32")[None]
    results, _ = converted(lambda x: tf.cast(tf.cast(x, half), tf.float32) * 3.0, form, x)
    for (y,) in results:
        same(y, tf.cast(tf.cast(x, half), tf.float32) * 3.0)


@FORMATS
@pytest.mark.parametrize("operate", [tf.add, tf.subtract, tf.multiply, tf.divide])
def test_arithmetic_on_every_float16_rounds_each_result(converted, form, operate):
    x, y = EVERY[None], RNG.permutation(EVERY)[None]
    results, _ = converted(operate, form, x, y)
    for (found,) in results:
        same(found, operate(tf.constant(x), tf.constant(y)))


@FORMATS
@HALVES
def test_every_operation_of_several_rounds(converted, form, half):
    x = RNG.normal(0, 3, (1, 4000)).astype("float32")

    def several(x):
        h = tf.cast(x, half)
        h = tf.nn.leaky_relu(h * h - h / 3.0, 0.3) + tf.nn.relu(h)
        return tf.concat([h, h * 0.1], 1)

    results, _ = converted(several, form, x)
    for (found,) in results:
        same(found, several(x))  # an output in bfloat16 is a float32


@FORMATS
@HALVES
@pytest.mark.parametrize("kind", sorted(set(half_kernels.KERNELS) - {"Xlogy"}))
def test_kernels_that_round_between_their_steps(converted, form, half, kind):
    counts = {"SquaredDifference": 2, "FloorDiv": 2, "AddN": 3}
    arrays = [RNG.uniform(-15, 15, (1, 4000)).astype("float32") for _ in range(counts.get(kind, 1))]
    names = {"AddN": "add_n", "SquaredDifference": "squared_difference", "FloorDiv": "floordiv"}
    function = getattr(tf.math, names.get(kind, kind.lower()), None) or getattr(tf.nn, kind.lower())

    def call(*arrays):
        halves = [tf.cast(array, half) for array in arrays]
        return tf.cast(function(halves) if kind == "AddN" else function(*halves), tf.float32)

    results, _ = converted(call, form, *arrays)
    expected = call(*arrays).numpy()
    for (found,) in results:
        # Where the exponentials of two libraries lie at two sides of a tie, one result in thousands differs.
        assert np.mean(found != expected) < 1 / 1000


@FORMATS
@HALVES
def test_weights_are_rounded_before_they_are_written(converted, form, half):
    kernel, bias = tf.Variable(RNG.normal(0, 1, (8, 5)), dtype=tf.float32), tf.constant(RNG.normal(0, 1, 5), half)

    def dense(x):
        return tf.cast(tf.matmul(tf.cast(x, half), tf.cast(kernel, half)) + bias + tf.cast(kernel, half)[0], tf.float32)

    x = RNG.normal(0, 1, (3, 8)).astype("float32")
    results, ops = converted(dense, form, x)
    for (found,) in results:
        same(found, dense(x))
    assert not ops & {"DEQUANTIZE", "QUANTIZE"}


@FORMATS
@pytest.mark.parametrize("policy", ["mixed_float16", "float16"])
@pytest.mark.parametrize("layer", [keras.layers.LSTM, keras.layers.GRU], ids=["lstm", "gru"])
def test_the_steps_of_a_recurrent_layer_round(converted, form, policy, layer):
    made = layer(5, return_sequences=True, dtype=policy)
    x = RNG.normal(0, 1, (1, 6, 4)).astype("float16" if policy == "float16" else "float32")
    expected = made(x)
    results, _ = converted(lambda x: made(tf.ensure_shape(x, (1, 6, 4))), form, x)
    for (found,) in results:
        same(found, expected)


def test_comparisons_and_places_in_float16(converted):
    x = np.array([[np.nan, np.inf, -np.inf, 0.0, -1.0, 6e-8, 1.0, 3.3, 65504.0]], "float16")

    def ask(x):
        return [tf.math.is_inf(x), tf.math.is_finite(x), tf.math.is_nan(x), x > 1, tf.argmax(x[:, 3:], 1)]

    results, _ = converted(ask, "onnx", x)
    for found in results:
        for ours, theirs in zip(found, ask(tf.constant(x)), strict=True):
            same(ours, theirs)


@FORMATS
def test_an_infinite_constant_and_an_overflow_are_infinite_outputs(converted, form):
    x = np.array([[60000.0, -60000.0, 1.0]], "float16")
    results, _ = converted(lambda x: [x + x, x - np.inf], form, x)
    for twice, least in results:
        same(twice, tf.constant(x) * 2)
        same(least, tf.constant(x) - np.inf)


def test_a_program_without_half_precision_is_left_alone():
    with tf.Graph().as_default() as graph:
        tf.identity(tf.compat.v1.placeholder(tf.float32, [None, 3]))
    program: Any = SimpleNamespace(graph=SimpleNamespace(graph_def=graph.as_graph_def()))
    assert half_precision.in_single(program) is program
