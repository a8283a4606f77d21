"""Recurrent layers are graphs while the truth is computed, with the bits that they have eagerly."""

import keras
import numpy as np
import pytest
from keras import layers

from kexport.factory.trace.eager_functions import functions_run_eagerly
from kexport.factory.truth.compiled_loops import compiled_loops

LAYERS = {
    "LSTM": lambda: layers.LSTM(6, return_sequences=True, return_state=True),
    "GRU backwards": lambda: layers.GRU(5, go_backwards=True),
    "both ways": lambda: layers.Bidirectional(layers.GRU(5, return_sequences=True, return_state=True), merge_mode=None),
    "SimpleRNN": lambda: layers.SimpleRNN(4),
}


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("masked", [False, True])
def test_a_loop_has_the_bits_that_it_has_eagerly_and_follows_its_weights(name, masked):
    keras.utils.set_random_seed(0)
    x = keras.Input((12, 3))
    model = keras.Model(x, LAYERS[name]()(layers.Masking()(x) if masked else x))
    rng, graphs = np.random.default_rng(0), {}
    for batch in (1, 4):
        value = rng.normal(size=(batch, 12, 3)).astype("float32") * (rng.random((batch, 12, 1)) > 0.3)
        expected = keras.tree.flatten(model(value, training=False))
        with compiled_loops(graphs):
            got = keras.tree.flatten(model(value, training=False))
        for one, other in zip(got, expected, strict=True):
            np.testing.assert_array_equal(one, other)
        model.set_weights([weight + 0.01 for weight in model.get_weights()])
    assert len(graphs) == (2 if name == "both ways" else 1)


def test_short_loops_and_noise_stay_eager():
    graphs = {}
    for steps, eagerly in ((3, False), (12, True)):
        model = keras.Sequential([keras.Input((steps, 3)), layers.LSTM(2)])
        with compiled_loops(graphs):
            if eagerly:
                with functions_run_eagerly():
                    model(np.ones((1, steps, 3), "float32"))
            else:
                model(np.ones((1, steps, 3), "float32"))
    assert not graphs
