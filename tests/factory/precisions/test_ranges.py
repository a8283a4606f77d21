"""Values outside of the ranges of integers, on inputs that calibrated nothing: counted by tensor and layer."""

import keras
import numpy as np
import pytest

import kexport
from kexport.bundle.domain import Samples
from kexport.bundle.signature import Signature, TensorSpec
from kexport.factory.precisions.ranges import Outside
from kexport.factory.precisions.ranges_in_worker import Range
from kexport.parity import golden_inputs


def network():
    keras.utils.set_random_seed(0)
    x = keras.Input((6,), name="x")
    h = keras.layers.Dense(8, activation="relu", name="hidden")(x)
    return keras.Model(x, keras.layers.Dense(2, name="y")(h))


@pytest.fixture(scope="module")
def recording():
    """Samples of which those that are not calibrated on reach three times as far."""
    values = np.random.default_rng(0).uniform(-1, 1, (200, 6)).astype("float32")
    signature = Signature((TensorSpec("x", "float32", (None, 6)),), (TensorSpec("y", "float32", (None, 2)),))
    calibrated = {
        row.tobytes()
        for _, feeds in golden_inputs.plan(signature, {"x": Samples(values)}, lambda feeds: None, calibrating=True)
        for row in feeds["x"]
    }
    reach = np.array([1.0 if row.tobytes() in calibrated else 3.0 for row in values], "float32")
    assert 0 < (reach == 3).sum() < 200
    return values * reach[:, None]


def build(folder, **options):
    return kexport.build(network(), folder, formats=["onnx", "tflite"], precision="int8", **options)


def notes_of(bundle, path):
    return [str(note) for note in bundle.report.notes if str(note).startswith(f"{path}: ")]


@pytest.fixture(scope="module")
def short(recording, tmp_path_factory):
    return build(tmp_path_factory.mktemp("short") / "b", samples=recording, budget="sqnr=1dB")


@pytest.mark.parametrize("path", ["model.int8.onnx", "model.int8.tflite"])
def test_values_outside_are_counted_by_tensor_and_layer(short, recording, path):
    told = notes_of(short, path)
    assert any("of layer 'hidden' (Dense) are outside of" in note for note in told), told
    assert "--calibration domain" in told[-1]
    artifact = next(each for each in short.manifest.artifacts if each.path == path)
    outside = {each["tensor"]: each for each in artifact.details["outside_ranges"]}
    checked = [golden.inputs["x"] for golden in short.goldens()]
    (x,) = (each for name, each in outside.items() if name == "x")
    assert x["values"] == sum(each.size for each in checked)
    # Calibration saw numbers to 1 in each direction, in 255 steps.
    beyond = sum(int((np.abs(each) > 1.02).sum()) for each in checked)
    assert 0.95 * beyond <= x["outside"] <= 1.05 * beyond
    assert beyond > 100


def test_where_the_ends_were_calibrated_none_is_outside(recording, tmp_path):
    bundle = build(tmp_path / "b", samples=recording, calibration="domain")
    for path in ("model.int8.onnx", "model.int8.tflite"):
        artifact = next(each for each in bundle.manifest.artifacts if each.path == path)
        assert "x" not in {each["tensor"] for each in artifact.details.get("outside_ranges", ())}


def test_that_none_is_outside_is_told_with_what_was_looked_at(tmp_path):
    bundle = build(tmp_path / "b", domain={"x": "uniform(-1, 1)"})
    for path, tensors in (("model.int8.onnx", 3), ("model.int8.tflite", 3)):
        (told,) = notes_of(bundle, path)
        assert told.endswith(", on inputs on which no range was measured, none is outside")
        assert f"values in {tensors} tensors" in told


def test_a_range_ends_where_its_integers_do():
    assert Range.of("int8", 0.5, -3) == Range(-62.5, 65.0, 0.5)
    failed = Outside("model.int8.onnx", (), "the process died")
    assert list(failed.told()) == [
        "model.int8.onnx: values outside of its ranges could not be counted: the process died"
    ]
    assert failed.details == {}
