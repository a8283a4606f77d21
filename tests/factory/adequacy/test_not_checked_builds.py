"""Whole builds on a domain that shows nothing, with and without a reason why that is right."""

import json

import pytest

import kexport
from kexport.bundle.report import CheckKind
from kexport.errors import UNCHECKED, UsageError


@pytest.fixture(scope="module")
def model():
    import keras

    x = keras.Input((2,), name="x")
    shifted = keras.layers.Normalization(mean=[50.0, 1000.0], variance=[1.0, 1.0])(x)
    return keras.Model(x, keras.layers.ReLU(name="y")(shifted))


def adequacy_of(report):
    (check,) = [check for check in report.checks if check.kind is CheckKind.ADEQUACY]
    return check


def test_a_build_on_a_domain_that_shows_nothing_is_not_checked_wherever_it_is_verified(model, tmp_path):
    bundle = kexport.build(model, tmp_path / "y", formats=["keras"], domain={"x": "uniform(-1, 1)"})
    assert bundle.report.exit_code == UNCHECKED
    check = adequacy_of(bundle.report)
    assert not check.ran
    assert "output y: it is the same on all goldens; inputs beyond the domain change it" in check.detail
    assert "--unseen 'y: reason'" in check.detail
    # Whoever receives the bundle gets the same check from its manifest.
    received = kexport.verify(bundle.path, ["onnxruntime"])
    assert adequacy_of(received) == check
    manifest = json.loads((bundle.path / "manifest.json").read_text())
    assert manifest["schema"] == 1
    assert manifest["adequacy"]["unseen"][0]["standing"] == "open"


def test_a_reason_is_a_fact_of_the_report_and_the_build_passes(model, tmp_path):
    declared = {"y": "a sensor that is off"}
    bundle = kexport.build(model, tmp_path / "y", formats=["keras"], domain={"x": "uniform(-1, 1)"}, unseen=declared)
    assert bundle.passed
    assert "output y: declared: a sensor that is off" in adequacy_of(bundle.report).detail


def test_a_name_that_the_model_does_not_have_is_refused_before_anything_is_written(model, tmp_path):
    with pytest.raises(UsageError, match="'z' is declared unseen, which is neither an output, a layer nor") as refused:
        kexport.build(model, tmp_path / "y", formats=["keras"], unseen={"z": "is not there"})
    (listed,) = [line for line in str(refused.value).splitlines() if "one of" in line]
    names = listed.partition("one of ")[2].split(", ")
    assert names[0] == "y"
    assert len(names) == len(set(names))  # y is a layer and an output
    assert not (tmp_path / "y").exists()
