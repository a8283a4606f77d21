"""Layers that compute in float32 whatever their policy is have a truth in float64 all the same."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

from kexport.factory.inputs.domains import resolve_domains
from kexport.factory.trace.program import trace
from kexport.factory.truth import TWIN, establish
from kexport.factory.truth.oracle import Oracle
from kexport.testing.closeness import assert_close


class Cast(layers.Layer):
    """Computes in single precision."""

    def call(self, x):
        return ops.tanh(ops.cast(x, "float32") * 0.37) + tf.constant(0.25, tf.float32)


class Unusual(layers.Layer):
    """What it computes with exists in single precision alone."""

    def call(self, x):
        parts = tf.quantization.fake_quant_with_min_max_args(tf.cast(x, tf.float32), -8, 8, num_bits=16)
        return tf.cast(parts * 0.37, self.compute_dtype)


def truth_of(*stack, shape=(6,), dtype="float32"):
    x = keras.Input(shape, name="x", dtype=dtype)
    y = x
    for layer in stack:
        y = layer(y)
    program = trace(keras.Model(x, y))
    domains = resolve_domains(program, {}).domains
    return establish(program, Oracle(program, domains), domains)


@pytest.mark.parametrize("dtype", ["float32", "int16"])
def test_the_truth_of_a_layer_that_casts_is_in_double_precision(dtype):
    found = truth_of(Cast(name="y"), dtype=dtype)
    for golden in found.goldens:
        values = golden.inputs["x"].astype("float64")
        assert_close(golden.truth["y"], np.tanh(values * np.float64(np.float32(0.37))) + 0.25)
    assert found.limits[0].source == TWIN
    assert not found.notes


def test_loops_lookups_resized_images_and_weights_are_in_double_precision_too():
    for stack, shape, dtype in (
        ([layers.GRU(3), Cast(), layers.Dense(2)], (4, 2), "float32"),
        ([layers.IntegerLookup(vocabulary=[3, 5]), layers.Embedding(4, 2), Cast()], (4,), "int64"),
        ([Cast(), layers.Resizing(5, 7), layers.Conv2D(2, 3)], (8, 8, 1), "float32"),
    ):
        found = truth_of(*stack, shape=shape, dtype=dtype)
        assert not found.notes
        assert found.limits[0].source == TWIN


def test_where_there_is_no_such_truth_a_note_names_the_layer():
    (note,) = truth_of(layers.Dense(4), Unusual(name="odd"), layers.Dense(2)).notes
    assert "layer 'odd' (Unusual) computes in float32" in note
    assert not truth_of(layers.Dense(4), layers.LayerNormalization()).notes
