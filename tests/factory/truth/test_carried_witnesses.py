"""Witnesses outlive a build: inputs are kept, truths are made anew."""

from typing import Any

import numpy as np
import pytest

from kexport.bundle import store, witnesses
from kexport.bundle.goldens import Golden
from kexport.bundle.limits import OutputLimit
from kexport.bundle.signature import Signature, TensorSpec
from kexport.bundle.witnesses import Witness
from kexport.factory.truth.carried_witnesses import carry_witnesses
from kexport.field.search import Conditioning

SIGNATURE = Signature((TensorSpec("x", "float32", (None, 2)),), (TensorSpec("y", "float32", (None, 2)),))
LIMITS = (OutputLimit("y", 4.0, 1e-7, 4e-7, "float64 twin"),)


class Doubled:
    """The model is now twice the input; at 9 its arithmetic overflows, and near 5 it is ill-conditioned."""

    def outputs(self, feeds):
        return {"y": feeds["x"].astype("float64") * 2}

    def conditioning(self, feeds, rng):
        truth = self.outputs(feeds)
        if (feeds["x"] < 0).any():
            raise ValueError("no negative numbers")
        if (feeds["x"] == 8).any():
            raise RuntimeError("as a kernel fails where an index is out of range")
        moves = {"y": np.where(feeds["x"] == 5, 0.5, 0).astype("float32")}
        own = {"y": np.where(feeds["x"] == 9, np.inf, truth["y"]).astype("float32")}
        return Conditioning(truth, moves, moves, own)


def stored(folder, *values, signature_name="x", truth=0.0, before=()):
    golden = Golden("random", {signature_name: np.array([values], "float32")}, {"y": np.full((1, 2), truth)})
    calls = [{signature_name: np.full((1, 2), each, "float32")} for each in before]
    return witnesses.store(folder, Witness(golden, "litert", {"y": 1.0}, {"y": 1.0}, calls, "a digest"))


@pytest.fixture
def places(tmp_path):
    target, folder = tmp_path / "bundle", tmp_path / "new"
    for place in (target, store.rejected(target), folder):
        place.mkdir()
    return target, folder


def carried(places):
    target, folder = places
    doubled: Any = Doubled()  # as much of a reference as is asked for
    carry_witnesses(target, folder, SIGNATURE, doubled, LIMITS)
    return [witness for _, witness in witnesses.stream(folder, SIGNATURE)]


def test_the_truth_and_the_limits_are_those_of_the_new_build(places):
    stored(places[0], 1, 2, before=[7])
    (found,) = carried(places)
    np.testing.assert_array_equal(found.golden.inputs["x"], [[1, 2]])
    np.testing.assert_array_equal(found.golden.truth["y"], [[2, 4]])
    assert (found.reference, found.digest) == ("truth", "")
    assert (found.limits, found.scales) == ({"y": LIMITS[0].limit}, {"y": LIMITS[0].scale})
    np.testing.assert_array_equal(found.before[0]["x"], [[7, 7]])


def test_what_is_ill_conditioned_or_another_answer_in_keras_is_known_of_it(places):
    stored(places[0], 5, 9)
    (found,) = carried(places)
    np.testing.assert_array_equal(found.golden.ulp_sensitivity["y"], [[0.5, 0]])
    np.testing.assert_array_equal(found.golden.keras_output["y"], [[10, np.inf]])


def test_what_was_found_when_the_bundle_was_rejected_is_kept_too(places):
    stored(places[0], 1, 2)
    stored(store.rejected(places[0]), 3, 4)
    stored(store.rejected(places[0]), 1, 2)
    assert len(carried(places)) == 2


def test_what_does_not_fit_any_more_or_is_damaged_is_left_behind(places):
    target = places[0]
    stored(target, 1, 2, signature_name="z")
    stored(target, 1, 2, 3)
    stored(target, -1, 2)
    kept = stored(target, 1, 2)
    (target / stored(target, 3, 4)).write_bytes(b"damaged")
    assert len(carried(places)) == 1
    assert (target / kept).exists(), "the old bundle is left alone"


def test_a_first_build_carries_nothing(tmp_path):
    (tmp_path / "new").mkdir()
    assert carried((tmp_path / "nothing", tmp_path / "new")) == []
    assert not (tmp_path / "new" / "witnesses").exists()


def test_what_the_model_is_ill_conditioned_on_now_is_left_behind(places):
    stored(places[0], 5, 5)
    stored(places[0], 1, 2)
    assert [witness.golden.inputs["x"].tolist() for witness in carried(places)] == [[[1, 2]]]


def test_an_input_that_the_new_model_does_not_take_and_a_damaged_file_of_the_right_name_end_no_build(places):
    stored(places[0], 8, 1)
    for content in (b"", b"no archive", b"PK\x05\x06" + bytes(18)):
        witnesses.place(places[0], content)
    stored(places[0], 1, 2)
    (found,) = carried(places)
    np.testing.assert_array_equal(found.golden.inputs["x"], [[1, 2]])
