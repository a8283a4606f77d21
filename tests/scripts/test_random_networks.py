"""Random networks: the same seed draws the same one, its file makes it, and it is made smaller without being broken."""

import numpy as np
import pytest

from kexport.testing.closeness import assert_close
from network_cases import _generator, _verdict
from network_cases._network import Layer, Network, Step

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
