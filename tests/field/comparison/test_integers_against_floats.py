"""Bare files of integers are compared in the real numbers that these stand for."""

import shutil

import keras
import pytest

import kexport


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A model in floats, in integers, and in integers of another scale."""
    keras.utils.set_random_seed(1)
    x = keras.Input((12,), name="x")
    y = keras.layers.Dense(4, name="y")(keras.layers.Dense(16, activation="relu")(x))
    model, folder = keras.Model(x, y), tmp_path_factory.mktemp("files")
    for name, reach in (("near", 5), ("far", 20)):
        domain = {"x": f"uniform(-{reach}, {reach})"}
        bundle = kexport.build(
            model, folder / name, formats=["tflite", "onnx"], domain=domain, precision="int8", io="int"
        )
        for artifact in bundle.manifest.artifacts:
            shutil.copy(bundle.path / artifact.path, folder / f"{name}.{artifact.path}")
    return folder


def compared(files, a, b, least):
    domain = {"x": "uniform(-5, 5)"}
    return kexport.compare(files / a, files / b, domain=domain, search="300", tolerance={"y": least})


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("near.model.tflite", "near.model.int8.tflite"),
        ("near.model.int8.tflite", "near.model.onnx"),
        ("near.model.int8.onnx", "near.model.tflite"),
        ("near.model.int8.tflite", "far.model.int8.tflite"),
    ],
)
def test_they_are_near_what_they_stand_for(files, a, b):
    report = compared(files, a, b, "12dB")
    parity = next(check for check in report.checks if check.kind == "parity")
    assert parity.passed
    assert 15 < parity.metrics["sqnr_db"] < 60
    side = "A" if "int8" in a else "B"
    assert any(f"x of {side} is int8, converted by its scale" in str(note) for note in report.notes)


def test_another_model_is_far_from_it(files, tmp_path):
    keras.utils.set_random_seed(2)
    x = keras.Input((12,), name="x")
    other = kexport.build(keras.Model(x, keras.layers.Dense(4, name="y")(x)), tmp_path / "other", formats=["tflite"])
    assert not kexport.compare(
        other.path / "model.tflite", files / "near.model.int8.tflite", search="300", tolerance={"y": "12dB"}
    ).passed


def test_integers_of_one_scale_are_compared_as_they_are(files):
    report = kexport.compare(*[files / "near.model.int8.tflite"] * 2, search="300")
    assert report.passed
    assert not any("converted" in str(note) for note in report.notes)
