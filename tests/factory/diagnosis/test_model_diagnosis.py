"""Healthy models of many kinds pass the diagnosis without a word; sick ones fail the check of the model."""

import functools
import itertools
import time

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from kexport.errors import ModelError
from kexport.factory.diagnosis import diagnose, traced
from kexport.factory.inputs import resolve_domains


class Seeded(layers.Layer):
    """Random numbers of Keras at inference."""

    def __init__(self, **options):
        super().__init__(**options)
        self.seed = keras.random.SeedGenerator(1)

    def call(self, x):
        return x + keras.random.normal(keras.ops.shape(x), seed=self.seed)


class Twice(keras.Model):
    """A subclassed model that calls one layer two times, and one of Keras in between."""

    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(4)
        self.drop = layers.Dropout(0.5)

    def call(self, x, training=None):
        return self.dense(self.drop(self.dense(x), training=training))


def chain(shape, *rest, dtype="float32"):
    return keras.Sequential([keras.Input(shape, dtype=dtype), *rest])


def twice():
    model = Twice()
    model(np.zeros((2, 4), "float32"))
    return model


def stateful():
    inputs = keras.Input(batch_shape=(1, 5, 3))
    return keras.Model(inputs, layers.LSTM(4, stateful=True)(inputs))


def deep():
    """Forty layers of large weights: a last bit of the input moves every digit of the output."""
    rest = [layers.Dense(16, "tanh", kernel_initializer=keras.initializers.RandomNormal(0, 2, i)) for i in range(40)]
    return chain((16,), *rest, layers.Dense(3))


def dictionary():
    a, b = keras.Input((3,), name="a"), keras.Input((2,), name="b")
    return keras.Model({"a": a, "b": b}, {"sum": layers.Concatenate()([a, b]), "a": layers.ReLU()(a)})


HEALTHY = {
    "random_layers": lambda: chain((8, 8, 3), layers.RandomFlip(), layers.RandomRotation(0.2), layers.GaussianNoise(1)),
    "normalisation": lambda: chain((8,), layers.BatchNormalization(), layers.LayerNormalization(), layers.Dense(2)),
    "constant_groups": lambda: chain((4, 4, 2), layers.GroupNormalization(2), layers.GlobalAveragePooling2D()),
    "recurrent": lambda: chain((None, 3), layers.Bidirectional(layers.GRU(4, return_sequences=True)), layers.LSTM(2)),
    "masked": lambda: chain((6,), layers.Embedding(9, 4, mask_zero=True), layers.LSTM(3), dtype="int32"),
    "strings": lambda: chain((1,), layers.StringLookup(vocabulary=["a", "b"]), dtype="string"),
    "stateful": stateful,
    "twice": twice,
    "deep": deep,
    "dictionary": dictionary,
}


def diagnosis(model):
    program = traced(model, {})
    return diagnose(program, resolve_domains(program, {}).domains)


@pytest.mark.parametrize("name", HEALTHY)
def test_nothing_is_said_against_a_healthy_model(name):
    found = diagnosis(HEALTHY[name]())
    assert [check.passed for check in found.checks] == [True], [check.detail for check in found.checks]
    assert found.notes == ()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_a_fused_layer_of_16_bits_may_round_once_where_an_eager_call_rounds_twice(dtype):
    """It was called "computed otherwise by TensorFlow in a graph"."""
    for seed in range(6):
        keras.utils.set_random_seed(seed)
        x = keras.Input((6,))
        y = layers.Dense(3, dtype=dtype, bias_initializer="normal")(keras.ops.cast(x, dtype))
        assert all(check.passed for check in diagnosis(keras.Model(x, keras.ops.cast(y, "float32"))).checks)


def test_random_numbers_of_keras_at_inference_are_no_state():
    (check,) = diagnosis(chain((4,), layers.Dense(3), Seeded(name="seeded"))).checks
    assert not check.passed
    assert "layer 'seeded' (Seeded) draws random numbers at inference" in check.detail
    assert "test_model_diagnosis.py:26" in check.detail


class Narrow(layers.Layer):
    """Digits are lost in it."""

    def call(self, x):
        return keras.ops.cast(keras.ops.cast(x, "float16"), "float32")


class Hourly(layers.Layer):
    """The hour is one number as long as the build takes."""

    def call(self, x):
        return x * (1.0 + time.localtime().tm_hour)


class Iterating(layers.Layer):
    """State that is no attribute of simple type."""

    def __init__(self, **options):
        super().__init__(**options)
        self.numbers = itertools.count(1)

    def call(self, x):
        return x * float(next(self.numbers))


class SameNoise(layers.Layer):
    """Random numbers from one seed: the same in each call, other ones for each sample."""

    def call(self, x):
        return x + keras.random.normal(keras.ops.shape(x), seed=7)


class CachedByIdentity(layers.Layer):
    """Called again on the very same tensor it gives the same."""

    @functools.cache  # noqa: B019  a mistake that is made
    def gain(self, key):
        return 1.0 + len(self.name) / key

    def call(self, x):
        return x * self.gain(id(x) % 1000 + 1)


class FunctionalDropout(layers.Layer):
    """Dropout that knows no training."""

    def call(self, x):
        return tf.nn.dropout(x, 0.5)


def said(layer):
    """What the build says of a model with this layer: checks and notes."""
    model = chain((4,), layers.Dense(4), layer, layers.Dense(2))
    program = traced(model, {})
    found = diagnose(program, resolve_domains(program, {}).domains)
    return [check.detail for check in found.checks if not check.passed], list(found.notes)


def test_the_line_of_a_note_is_in_the_layer_and_not_where_the_build_was_called():
    failed, (note,) = said(Narrow(name="narrow"))
    assert not failed
    assert "layer 'narrow' (Narrow) casts float32 to float16" in note
    assert 'keras.ops.cast(x, "float16")' in note


def test_a_clock_that_stands_still_during_the_build_is_a_note():
    failed, (note,) = said(Hourly(name="hourly"))
    assert not failed
    assert "reads what is outside of the model" in note
    assert "localtime" in note


def test_what_an_iterator_gives_next_is_state():
    (failed,), _ = said(Iterating(name="iterating"))
    assert "keeps Python state from call to call" in failed


def test_a_layer_that_depends_on_which_object_it_is_given_is_named_and_not_the_model():
    failed, _ = said(CachedByIdentity(name="cached"))
    assert all("layer 'cached' (CachedByIdentity)" in each for each in failed)
    assert failed


def test_dropout_as_a_function_draws_random_numbers():
    (failed,), _ = said(FunctionalDropout(name="drop"))
    assert "layer 'drop' (FunctionalDropout) draws random numbers at inference" in failed


def test_random_numbers_of_one_seed_depend_on_the_place_in_the_batch():
    failed, (note,) = said(SameNoise(name="noise"))
    assert not failed
    assert "layer 'noise' (SameNoise) draws the same random numbers in each call" in note


def test_where_no_code_of_the_user_is_at_work_no_value_of_python_is_blamed():
    from kexport.factory.diagnosis import causes

    cause = causes.of_tracing(None, [], [layers.Dense], identity=False)
    assert "by TensorFlow" in cause.what
    assert "Python" not in cause.hint


class Inverse(layers.Layer):
    def call(self, x):
        return tf.linalg.inv(x)


def test_a_model_that_fails_on_a_later_sample_of_its_domain_is_told_with_the_layer():
    with pytest.raises(ModelError, match=r"(?s)fails on inputs.*layer 'inverse'.*not invertible.*--samples"):
        diagnosis(chain((3, 3), Inverse(name="inverse")))
