"""Pairs of layers are judged together as each is alone."""

import keras
import pytest
import tensorflow as tf

from network_cases import _pairs
from network_cases._network import Layer, Network, Step
from network_cases._pair_verdicts import FORMATS, NOT_TOLD, RIGHT, WRONG, Judge, Model, Subject, judged


class Otherwise(keras.layers.Layer):
    """Computes something else where it is traced."""

    def call(self, x):
        return x if tf.executing_eagerly() else 1.001 * x


@pytest.fixture
def subjects():
    """Some pairs, and one whose artifacts are wrong."""
    names = ("Dense, ReLU on 12", "Dense, Softmax on 12", "Conv1D, Dense on ? x 4")
    pairs = {pair.name: pair for pair in _pairs.every()}
    one, *others = [Subject(name, pairs[name].network(1).model(), 1) for name in names]
    x = keras.Input((12,))
    return [one, Subject("wrong", keras.Model(x, Otherwise()(keras.layers.Dense(3)(x))), 1), *others]


def test_a_wrong_pair_is_found_among_others_which_are_right(subjects, tmp_path):
    found = Judge(tmp_path).of(subjects, FORMATS)
    assert list(found) == [subject.name for subject in subjects]
    for name in FORMATS:
        assert [said[name][0] for said in found.values()] == [RIGHT, WRONG, RIGHT, RIGHT]
        assert "of the scale" in found["wrong"][name][1]


def test_what_is_decided_for_a_model_as_a_whole_is_decided_for_a_pair_alone(tmp_path):
    """A loop whose lists are kept alone, and a layer beside which all lists become tensors, though it has no loop."""
    loop = Layer("GRU", {"units": 2, "activation": "gelu", "return_sequences": True})
    subjects = []
    for name, layer in (("loop", loop), ("node", Layer("LSTM", {"units": 2}))):
        network = Network(1, (Step(Layer("Input", {"shape": (5, 4)})), Step(layer, (0,))), (1,))
        subjects.append(Subject(name, network.model(), 1))
    assert Model(subjects, tmp_path).outcomes("onnx") == [NOT_TOLD] * 2
    found = Judge(tmp_path / "apart").of(subjects, ["onnx"])
    assert {name: said["onnx"][0] for name, said in found.items()} == {"loop": RIGHT, "node": RIGHT}


def test_pairs_that_do_not_fit_have_no_verdict(tmp_path):
    pairs = [pair for pair in _pairs.every() if pair.name in ("Dense, Conv2D on 12", "Dense, ELU on 12")]
    assert set(judged(pairs, 1, tmp_path)) == {"Dense, ELU on 12"}


def test_a_pair_that_amplifies_rounding_is_judged_by_the_truth(tmp_path):
    """The mean of what a normalisation without offset gives is 0, and all that is computed of it is rounding."""
    layers = (
        Layer("GroupNormalization", {"groups": 4, "center": False, "scale": False}),
        Layer("GlobalAveragePooling1D"),
    )
    steps = (Step(Layer("Input", {"shape": (10, 4)})), Step(layers[0], (0,)), Step(layers[1], (1,)))
    (said,) = Judge(tmp_path).of([Subject("mean", Network(1, steps, (2,)).model(), 1)], FORMATS).values()
    assert {name: verdict[0] for name, verdict in said.items()} == dict.fromkeys(FORMATS, RIGHT)
    assert any("of the scale" in verdict[1] for verdict in said.values())
