"""Biases that operators share: in int16x8, a layer that is called twice."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import kexport
from kexport.factory.formats._tflite_biases import _PLACES, give_each_its_bias
from kexport.runtimes.files import tflite
from kexport.testing.closeness import EACH, assert_close


def dense(x):
    shared = keras.layers.Dense(16, activation="relu", bias_initializer="normal", name="shared")
    return shared(shared(shared(x)))


def convolution(x):
    shared = keras.layers.Conv1D(4, 5, padding="same", activation="relu", bias_initializer="normal", name="shared")
    return shared(shared(keras.layers.Reshape((4, 4))(x)))


@pytest.mark.parametrize("body", [dense, convolution])
def test_a_layer_that_is_called_twice_is_as_exact_as_its_weights(tmp_path, body):
    keras.utils.set_random_seed(0)
    x = keras.Input((16,), name="x")
    model = keras.Model(x, keras.layers.Dense(4, name="y")(keras.layers.Flatten()(body(x))))
    bundle = kexport.build(
        model, tmp_path / "b", formats=["tflite"], precision="int16x8", domain={"x": (-3, 3)}, budget="sqnr=36dB"
    )
    assert bundle.passed
    for scale, right in scales(bundle.path / "model.int16x8.tflite"):
        assert_close(scale, right, scale=EACH)


def scales(path: Path) -> Iterator[tuple[Any, Any]]:
    """Of each operator with a bias of integers, the scale of that, and the one that its kernel takes it for."""
    model: Any = tflite.parse(path.read_bytes())
    names = tflite.numbered(tflite.schema().BuiltinOperator)
    (graph,) = model.subgraphs
    for operator in graph.operators:
        places = _PLACES.get(names[tflite.number(model.operatorCodes[operator.opcodeIndex])])
        if places and len(operator.inputs) > max(places) and operator.inputs[places[2]] >= 0:
            source, weights, bias = (graph.tensors[operator.inputs[place]].quantization.scale for place in places)
            yield bias, source * weights


def test_biases_in_their_own_scale_stay_shared_or_not_as_they_are(tmp_path):
    bundle = kexport.build("lowpass", tmp_path / "b", formats=["tflite"], precision="int16x8")
    model: Any = tflite.parse((bundle.path / "model.int16x8.tflite").read_bytes())
    before = [len(model.buffers), len(model.subgraphs[0].tensors)]
    give_each_its_bias(model)
    assert [len(model.buffers), len(model.subgraphs[0].tensors)] == before


@pytest.mark.parametrize("layer", [keras.layers.Conv1DTranspose, keras.layers.Conv1D])
def test_a_number_that_is_added_becomes_the_bias_of_every_channel(exported, layer):
    x = keras.Input((6, 3), name="x")
    model = keras.Model(x, layer(2, 2, use_bias=False, activation="hard_sigmoid")(x))
    given = np.random.default_rng(0).normal(size=(2, 6, 3)).astype("float32")
    results, _ = exported(model, "tflite", given)
    for (value,) in results:
        assert_close(value, np.asarray(model(given)))
