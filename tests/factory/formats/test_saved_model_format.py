import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

from kexport.errors import ExportError
from kexport.factory.formats.saved_model import FORMAT
from kexport.factory.trace.program import trace
from kexport.testing.closeness import assert_close


class Two(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(3)

    def call(self, a, b):
        return {"sum": self.dense(a) + b, "pair": (a, b)}


def written(model, folder, samples=None):
    FORMAT.writer(trace(model, samples), folder / "saved_model")
    return tf.saved_model.load(str(folder / "saved_model"))


def test_serve_takes_the_arguments_of_the_model_and_gives_its_structure(tmp_path):
    model = Two()
    a, b = tf.ones((2, 4)), tf.ones((2, 3))
    wanted = model(a, b)
    loaded = written(model, tmp_path, {"a": a.numpy(), "b": b.numpy()})
    outputs = loaded.serve(a, b)
    assert_close(outputs["sum"], wanted["sum"])
    assert len(outputs["pair"]) == 2
    assert set(loaded.signatures["serving_default"](a=a, b=b)) == {"sum", "pair", "pair_1"}


def test_a_tuple_of_inputs_may_be_given_whole_or_spread(tmp_path):
    pair = keras.Input((2,), name="p"), keras.Input((3,), name="q")
    loaded = written(keras.Model(pair, layers.Concatenate()(pair)), tmp_path)
    values = tf.ones((2, 2)), tf.zeros((2, 3))
    assert np.array_equal(loaded.serve(values), loaded.serve(*values))


def test_dicts_and_nests_are_taken_as_they_are(tmp_path):
    nest = {"b": keras.Input((2,), name="b"), "a": [keras.Input((2,), name="x"), keras.Input((2,), name="y")]}
    model = keras.Model(nest, ops.stack([nest["b"] * 100, nest["a"][0] * 10, nest["a"][1]]))
    loaded = written(model, tmp_path)
    values = {"b": tf.constant([[3.0, 3]]), "a": [tf.constant([[2.0, 2]]), tf.constant([[1.0, 1]])]}
    assert loaded.serve(values)[:, 0, 0].numpy().tolist() == [300, 20, 1]


def test_lookup_tables_are_saved_with_it(tmp_path):
    x = keras.Input((2,), dtype="string", name="x")
    loaded = written(keras.Model(x, layers.StringLookup(vocabulary=["a", "b"])(x)), tmp_path)
    assert loaded.serve(tf.constant([["b", "?"]])).numpy().tolist() == [[2, 0]]


@tf.custom_gradient
def scaled(x):
    """A custom gradient that needs values from outside of its function, and calls one that has its own."""
    factor = tf.nn.silu(x)
    return x * 2.0, lambda upstream: upstream * factor * 3.0


def with_custom_gradients():
    keras.utils.clear_session()  # the names of operations begin anew
    x = keras.Input((3,), name="x")
    y = layers.Lambda(scaled, name="scaled")(ops.silu(x))
    return keras.Model(x, ops.silu(y), name="gradients")


def test_custom_gradients_are_saved_with_it_and_under_the_same_names_in_every_process(tmp_path):
    model = with_custom_gradients()
    loaded = written(model, tmp_path)
    x = tf.constant([[0.5, -1.0, 2.0]])
    gradients = []
    for function in (model, loaded.serve):
        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs = function(x)
        gradients.append(tape.gradient(outputs, x))
    assert_close(gradients[1], gradients[0])
    again = tmp_path / "again"
    for _ in range(6):  # so that its functions have numbers of more digits
        written(with_custom_gradients(), again)
        differing = (again / "saved_model/saved_model.pb").read_bytes()
        shutil.rmtree(again)
    assert differing == (tmp_path / "saved_model/saved_model.pb").read_bytes()


class TableInCall(layers.Layer):
    def call(self, x):
        pairs = tf.lookup.KeyValueTensorInitializer(tf.constant([1, 2], tf.int64), tf.constant([10.0, 20.0]))
        return tf.lookup.StaticHashTable(pairs, -1.0).lookup(x)


def test_a_table_that_no_layer_keeps_is_refused_with_the_layer_and_a_way_out(tmp_path):
    x = keras.Input((2,), dtype="int64", name="x")
    with pytest.raises(ExportError, match="no layer keeps a table") as refused:
        written(keras.Model(x, TableInCall(name="prices")(x)), tmp_path)
    text = str(refused.value)
    assert "layer 'prices' (TableInCall)" in text
    assert "test_saved_model_format.py" in text
    assert "`__init__`" in text


class KeptTables(layers.Layer):
    def __init__(self):
        super().__init__(name="prices")
        words = tf.lookup.KeyValueTensorInitializer(["a", "b"], tf.constant([0, 1], tf.int64))
        prices = tf.lookup.KeyValueTensorInitializer(tf.range(4, dtype=tf.int64), tf.constant([10.0, 20.0, 3.0, 4.0]))
        self.listed = [tf.lookup.StaticVocabularyTable(words, 2)]
        self.named = {"prices": tf.lookup.StaticHashTable(prices, -1.0)}

    def call(self, x):
        return self.named["prices"].lookup(self.listed[0].lookup(x))


def test_a_table_with_buckets_and_those_in_lists_and_dictionaries_are_kept(tmp_path):
    x = keras.Input((2,), dtype="string", name="x")
    written(keras.Model(x, KeptTables()(x)), tmp_path)
    loaded = tf.saved_model.load(tmp_path / "saved_model")
    np.testing.assert_array_equal(loaded.serve(tf.constant([["b", "a"]])), [[20.0, 10.0]])
