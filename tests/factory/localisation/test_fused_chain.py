"""A chain of layers that an artifact computes as one: which of them is blamed for a result that differs."""

from typing import Any

import numpy as np
import pytest

from kexport.bundle.limits import OutputLimit
from kexport.bundle.signature import TensorSpec
from kexport.factory.localisation import fused_chain
from kexport.factory.localisation.layer_calls import CallSite
from kexport.factory.localisation.layer_graph import TracedCall
from kexport.factory.localisation.layer_output import LayerOutput, LayerTruth
from kexport.parity.tolerance import EPSILON

RNG = np.random.default_rng(0)
IMAGE, KERNEL = RNG.normal(size=(2, 9, 9, 5)), RNG.normal(size=(5, 4))
SCALES, SHIFTS = RNG.uniform(0.5, 1.5, 4), RNG.normal(size=4)


def computed(mix=lambda x: x @ KERNEL, norm=lambda x: x * SCALES + SHIFTS, gain=3.0, most=6.0):
    """The results of a chain: mixed channels, a normalisation, a gain, and what clips it."""
    mixed = mix(IMAGE)
    normalised = norm(mixed)
    return {"mix": mixed, "norm": normalised, "gain": gain * normalised, "clip": np.clip(gain * normalised, 0, most)}


def chain():
    """The layers, with the truth of each."""
    layers = []
    for name, truth in computed().items():
        spec = TensorSpec(name, "float32", truth.shape)
        limit = OutputLimit(name, float(np.abs(truth).max()), EPSILON["float32"], EPSILON["float32"], "float64 twin")
        output = LayerOutput(name, spec, limit, truth, truth.astype("float32"), np.zeros(truth.shape))
        layers.append(LayerTruth(TracedCall(CallSite(name, 1, "Layer"), name, "", (name,), ()), (output,)))
    return layers


FAULTS: dict[str, dict[str, Any]] = {
    "mix": {"mix": lambda x: x @ np.where(np.arange(5)[:, None] == 2, 0, KERNEL)},
    "norm": {"norm": lambda x: x * SCALES[::-1] + SHIFTS},
    "gain": {"gain": 3.3},
    "clip": {"most": np.inf},
}


@pytest.mark.parametrize("layer", FAULTS)
def test_the_layer_whose_kind_of_change_it_is_is_blamed(layer):
    blame = fused_chain.blamed(IMAGE, chain(), computed(**FAULTS[layer])["clip"])
    assert blame.layer == layer


def test_a_shift_of_a_channel_may_be_the_bias_of_what_comes_before_a_normalisation():
    blame = fused_chain.blamed(IMAGE, chain(), computed(norm=lambda x: x * SCALES + SHIFTS[::-1])["clip"])
    assert (blame.layer, blame.others) == ("norm", ("mix",))
    assert "each channel" in blame.because


def test_what_a_single_sample_cannot_tell_is_not_told():
    few = [layer for layer in chain() if layer.name != "clip"]
    assert fused_chain.blamed(IMAGE, few, np.full(few[-1].outputs[0].truth.shape, np.nan)) is None
    assert fused_chain.blamed(IMAGE, few, np.zeros(3)) is None


def test_two_layers_of_the_same_kind_are_both_named_the_one_with_the_tensor_first():
    twice = [layer for layer in chain() if layer.name in ("mix", "norm")]
    wrong = computed(mix=lambda x: x[:, ::-1] @ KERNEL)["norm"]
    assert fused_chain.blamed(IMAGE, twice, wrong).layer == "mix"
