"""What the layers of a live model give: twice, eagerly and when it is traced, and with other results of one of them."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from kexport.factory.localisation.layer_truths import LayerTruths
from kexport.factory.trace.program import trace

FEEDS = {"x": np.linspace(-1, 1, 12, dtype="float32").reshape(3, 4)}


class Noisy(layers.Layer):
    """Is random at inference."""

    def call(self, inputs):
        return inputs + tf.random.normal(tf.shape(inputs))


class Counting(layers.Layer):
    """Counts its calls in Python."""

    count = 0

    def call(self, inputs):
        self.count += 1
        return inputs * self.count


class EagerAlone(layers.Layer):
    """Does something in eager mode alone."""

    def call(self, inputs):
        return inputs * 2.0 if tf.executing_eagerly() else inputs


def truths_of(*stack):
    """The truths of a chain of layers."""
    x = keras.Input((4,), name="x")
    y = x
    for layer in stack:
        y = layer(y)
    model = keras.Model(x, y)
    return LayerTruths(model, trace(model).signature, FEEDS)


@pytest.mark.parametrize("kind", [Noisy, Counting])
def test_the_layer_that_gives_another_result_when_called_again_puts_the_model_at_fault(kind):
    truths = truths_of(layers.Dense(3, name="first"), kind(name="odd"), layers.Dense(2, name="last"))
    assert [(fault.layer, fault.kind) for fault in truths.model_faults] == [("odd", kind.__name__)]


def test_a_model_that_only_draws_in_training_is_not_at_fault():
    assert not truths_of(layers.Dense(3), layers.Dropout(0.5), layers.GaussianNoise(1.0)).model_faults


def test_a_stateful_recurrent_layer_is_reset_and_not_at_fault():
    x = keras.Input(batch_shape=(3, 4), name="x")
    model = keras.Model(x, layers.GRU(2, stateful=True)(layers.Reshape((2, 2))(x)))
    assert not LayerTruths(model, trace(model).signature, FEEDS).model_faults


@pytest.mark.parametrize("before", [(), (layers.Dense(4, name="first"),)])
def test_a_layer_that_was_traced_to_the_identity_is_not_the_same_as_what_it_takes(before):
    truths = truths_of(*before, EagerAlone(name="odd"), layers.Dropout(0.5, name="drop"), layers.Dense(2, name="last"))
    by_name = {layer.name: layer for layer in truths.of(FEEDS)}
    assert by_name["odd"].is_traced_to_the_identity
    assert not by_name["odd"].same_as
    assert "odd" in by_name["last"].call.feeds or "odd" in by_name["drop"].call.feeds
    assert not by_name["drop"].is_traced_to_the_identity


def test_a_layer_that_is_the_identity_eagerly_too_is_the_same_as_what_it_takes():
    truths = truths_of(layers.Dense(4, name="first"), layers.Dropout(0.5, name="drop"))
    assert [layer.same_as for layer in truths.of(FEEDS) if layer.name == "drop"] == ["first"]


def test_what_follows_a_layer_is_computed_from_the_result_that_it_is_given():
    truths = truths_of(layers.Dense(3, name="first"), layers.ReLU(name="relu"), layers.Dense(2, name="last"))
    own = {layer.name: layer.outputs[0].truth for layer in truths.of(FEEDS)}
    assert not truths.intervened(FEEDS, "first", 0, -np.abs(own["first"]), "relu")[0].any()
    assert not np.array_equal(truths.intervened(FEEDS, "first", 0, -np.abs(own["first"]), "last")[0], own["last"])
    assert np.array_equal(truths.intervened(FEEDS, "first", 0, own["first"], "last")[0], own["last"])


def test_a_result_that_does_not_fit_is_no_result_and_leaves_the_twin_as_it_was():
    truths = truths_of(layers.Dense(3, name="first"), layers.Dense(2, name="last"))
    own = {layer.name: layer.outputs[0].truth for layer in truths.of(FEEDS)}
    assert truths.intervened(FEEDS, "first", 0, np.zeros((3, 7)), "last") is None
    assert np.array_equal(truths.intervened(FEEDS, "first", 0, own["first"], "last")[0], own["last"])
