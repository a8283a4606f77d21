"""Random networks: the same seed draws the same one, its file makes it, and it is made smaller without being broken."""

import numpy as np
import pytest

import kexport
from kexport.testing.closeness import assert_close
from network_cases import _generator, _raw, _verdict
from network_cases._network import MODEL, SLICE, Layer, Network, Step
from network_cases._operations import operation

INPUT = Step(Layer("Input", {"shape": (4,)}))
RELU, TANH, ADD = (Layer("ReLU"), Layer("Activation", {"activation": "tanh"}), Layer("Add"))


def test_the_same_seed_draws_the_same_network_and_another_seed_another_one():
    one, again, other = (_generator.network(seed, 3) for seed in (1, 1, 2))
    assert one == again
    assert one != other


@pytest.mark.parametrize("index", range(4))
def test_the_file_of_a_network_makes_the_same_model(index):
    network = _generator.network(5, index)
    assert Network.from_json(network.to_json()) == network
    names = {}
    exec(network.source(), names)
    one, other = network.model(), names["make"]()
    assert one.input_shape == other.input_shape
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        assert_close(a, b)


def test_no_weight_of_a_network_is_all_zeros_or_ones():
    model = _generator.network(1, 7).model()
    assert all(np.ptp(value) > 0 for value in model.get_weights() if value.size > 1 and value.dtype.kind == "f")


def test_a_step_is_left_out_with_what_only_it_needed():
    network = Network(0, (INPUT, Step(RELU, (0,)), Step(TANH, (0,)), Step(ADD, (1, 2)), Step(RELU, (3,))), (4,))
    without = network.without(3)
    assert without is not None
    assert [step.layer.name for step in without.steps] == ["Input", "ReLU", "ReLU"]
    assert network.without(0) is None


def test_a_network_is_made_smaller_as_long_as_the_same_is_said_of_it():
    network = Network(0, (INPUT, Step(RELU, (0,)), Step(TANH, (1,)), Step(RELU, (2,))), (3,))

    def judge(data):
        wrong = any(step["layer"]["name"] == "Activation" for step in data["steps"])
        said = [{"kind": "parity", "artifact": "model.onnx", "detail": ""}] if wrong else []
        return {"network": data, "passed": not wrong, "said": said}

    smallest = _verdict.smallest(judge(network.to_json()), judge, 20)
    assert [step["layer"]["name"] for step in smallest["network"]["steps"]] == ["Input", "Activation"]


def test_a_network_in_a_network_and_a_layer_called_twice_have_one_set_of_weights():
    dense = Layer("Dense", {"units": 4})
    inner = Network(1, (INPUT, Step(dense, (0,))), (1,))
    steps = (INPUT, Step(Layer(MODEL, {"network": inner}), (0,)), Step(RELU, (1,)))
    twice = Step(steps[1].layer, (2,), shares=1)
    network = Network(0, (*steps, twice, Step(dense, (3,)), Step(dense, (4,), shares=4)), (5,))
    assert len(network.model().get_weights()) == 4
    assert Network.from_json(network.to_json()) == network
    assert network.without(1).steps[2].shares is None
    names = {}
    exec(network.source(), names)
    x = np.ones((2, 4), "float32")
    assert_close(names["make"]()(x), network.model()(x))


def test_operations_and_slices_are_what_their_source_says():
    steps = (
        Step(Layer("Input", {"shape": (6, 4)})),
        Step(Layer(SLICE), (0,), {"slices": [[None, None, None], [None, None, -1], [1, None, None]]}),
        operation("split", 1, pick=1, indices_or_sections=2, axis=1),
        operation("einsum", 2, 2, subscripts="bij,bkj->bik"),
        operation("concatenate", 3, 3, axis=-1),
    )
    network = Network(0, steps, (4,))
    names = {}
    exec(network.source(), names)
    x = np.random.default_rng(0).normal(size=(2, 6, 4)).astype("float32")
    part = x[:, ::-1, 1:][:, 3:]
    expected = np.einsum("bij,bkj->bik", part, part)
    assert_close(network.model()(x), np.concatenate([expected, expected], -1))
    assert_close(names["make"]()(x), network.model()(x))


def test_networks_are_drawn_with_all_that_combines():
    names = [{step.layer.name for step in _generator.network(3, index).steps} for index in range(60)]
    every = set().union(*names)
    assert {MODEL, SLICE, "ops.cast"} <= every
    assert any(step.shares is not None for index in range(60) for step in _generator.network(3, index).steps)


def test_raw_runtimes_tell_an_artifact_of_another_model(tmp_path):
    """Each format is told by its own runtimes: the artifacts of one model against the other."""
    network = Network(
        3,
        (Step(Layer("Input", {"shape": (None, 3)})), Step(Layer("Conv1D", {"filters": 2, "kernel_size": 2}), (0,))),
        (1,),
    )
    model = network.model()
    bundle = kexport.build(model, tmp_path / "bundle")
    assert bundle.passed
    assert not [*_raw.problems(bundle, model)]
    model.set_weights([value * np.float32(1.001) for value in model.get_weights()])
    told = {(each["artifact"], each["runtime"]) for each in _raw.problems(bundle, model)}
    assert told == {
        ("model.onnx", "onnxruntime"),
        ("model.tflite", "litert"),
        ("model.tflite", "litert_reference"),
        ("saved_model", "saved_model"),
    }
