"""Calibration inputs: all over the domain, and never those that check the result."""

import keras
import numpy as np
import pytest

import kexport
from kexport.bundle.domain import Samples, parse
from kexport.bundle.goldens import Golden
from kexport.bundle.signature import Signature, TensorSpec
from kexport.errors import InputError
from kexport.factory.inputs.calibration_file import CalibrationCall, read_inputs, write_inputs
from kexport.factory.precisions import calibration_inputs
from kexport.parity import golden_inputs

SIGNATURE = Signature((TensorSpec("x", "float32", (None, None)),), (TensorSpec("y", "float32", (None, None)),))


def goldens(domains):
    planned = golden_inputs.plan(SIGNATURE, domains, lambda feeds: None if feeds["x"].shape[1] < 20 else "too long")
    return [Golden(label, feeds, {}) for label, feeds in planned]


def test_they_reach_both_ends_of_the_domain_and_are_drawn_anew():
    domains = {"x": parse("uniform(-3, 7)")}
    checked = goldens(domains)
    calibrated = [feeds["x"] for feeds, _ in calibration_inputs(SIGNATURE, domains, checked)]
    assert (min(each.min() for each in calibrated), max(each.max() for each in calibrated)) == (-3, 7)
    assert max(each.shape[1] for each in calibrated) < 20  # longer ones the model refuses
    drawn = {each.inputs["x"].tobytes() for each in checked if each.label.startswith("random")}
    assert drawn
    assert not drawn & {each.tobytes() for each in calibrated}


def test_of_recorded_samples_they_are_those_that_check_nothing():
    domains = {"x": Samples(np.arange(400, dtype="float32").reshape(100, 4))}
    checked = {row.tobytes() for golden in goldens(domains) for row in golden.inputs["x"] if len(row) == 4}
    calibrated = {
        row.tobytes()
        for feeds, _ in calibration_inputs(SIGNATURE, domains, goldens(domains))
        for row in feeds["x"]
        if len(row) == 4
    }
    assert len(calibrated) == 50
    assert all(recorded for _, recorded in calibration_inputs(SIGNATURE, domains, goldens(domains)))
    assert not checked & calibrated


def test_where_the_batch_is_one_each_sample_is_read_alone(tmp_path):
    x = np.arange(6, dtype="float32").reshape(3, 2)
    write_inputs(tmp_path / "inputs.npz", [CalibrationCall({"x": x}), CalibrationCall({"x": x[:1]}, recorded=True)])
    assert [arrays[0].shape for arrays in read_inputs(tmp_path / "inputs.npz", SIGNATURE)] == [(3, 2), (1, 2)]
    assert [[len(arrays[0]) for arrays in read_inputs(tmp_path / "inputs.npz", SIGNATURE, recorded=recorded)]
            for recorded in (True, False)] == [[1], [3]]  # fmt: skip
    pinned = Signature((TensorSpec("x", "float32", (1, 2)),), SIGNATURE.outputs)
    rows = [arrays[0] for arrays in read_inputs(tmp_path / "inputs.npz", pinned)]
    assert np.array_equal(np.concatenate(rows), np.concatenate([x, x[:1]]))
    assert {row.shape for row in rows} == {(1, 2)}


@pytest.mark.parametrize("gap", [np.nan, np.inf, -np.inf])
def test_rows_with_gaps_are_left_out_and_the_number_of_rows_stays(gap):
    """A converter of integers did not end, or crashed, where a recording held one."""
    recorded = np.arange(400, dtype="float32").reshape(100, 4)
    recorded[::3, 1] = gap
    domains = {"x": Samples(recorded)}
    sound = goldens({"x": Samples(np.nan_to_num(recorded, posinf=0, neginf=0))})
    with_gaps = [feeds for feeds, _ in calibration_inputs(SIGNATURE, domains, sound)]
    assert with_gaps
    assert all(np.isfinite(feeds["x"]).all() for feeds in with_gaps)
    as_planned = calibration_inputs(SIGNATURE, {"x": Samples(np.nan_to_num(recorded, posinf=0, neginf=0))}, sound)
    assert [feeds["x"].shape for feeds in with_gaps] == [feeds["x"].shape for feeds, _ in as_planned]


def test_a_recording_of_gaps_alone_measures_no_range():
    domains = {"x": Samples(np.full((100, 4), np.nan, "float32"))}
    with pytest.raises(InputError, match="ranges of integers cannot be measured"):
        list(calibration_inputs(SIGNATURE, domains, goldens({"x": parse("uniform(-1, 1)")})))


def test_two_inputs_that_meet_leave_artifacts_of_integers_their_batch(tmp_path):
    keras.utils.set_random_seed(0)
    x, y = keras.Input((6,), name="x"), keras.Input((6,), name="y")
    joined = keras.layers.Concatenate()([keras.layers.Dense(4)(x), keras.layers.Dense(4, activation="elu")(y)])
    model = keras.Model([x, y], keras.layers.Dense(3)(joined))
    bundle = kexport.build(model, tmp_path / "b", formats=["tflite"], precision="int8,int16x8")
    assert bundle.passed
    assert not [each.path for each in bundle.manifest.artifacts if "pinned" in each.details]
