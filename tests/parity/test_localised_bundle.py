import json

import pytest

from kexport.bundle.report import Check, CheckKind, Measurement, Report, Subject
from kexport.parity.layer_report import Localisation
from kexport.parity.localised_bundle import LocalisedBundle, ModelFault
from kexport.reports import layers_json, layers_table

RIGHT = Localisation("model.onnx", "onnxruntime", "random, batch 1", (), ())
WRONG = Localisation("model.onnx", "onnxruntime", "random, batch 1", ("y: 1 instead of 2",), ())
PARITY = Check(CheckKind.PARITY, True, Subject("model.onnx", "onnxruntime", "y"), Measurement(0.0, 1.0, ""))
FAILED = Check.failure(CheckKind.PARITY, Subject("saved_model", "saved_model", "y"), "1 instead of 2")
MODEL = Check.failure(CheckKind.MODEL, Subject(), "layer 'odd' (Odd) is random")
LEFT_OUT = Check.not_run(CheckKind.ADEQUACY, Subject(output="y"), "y is the same on all goldens")
FAULT = ModelFault("odd", "Odd", "called twice, it gives other results")


@pytest.mark.parametrize(
    ("artifact", "faults", "checks", "code"),
    [
        (RIGHT, (), (PARITY,), 0),
        (WRONG, (), (PARITY,), 1),
        (RIGHT, (FAULT,), (PARITY,), 1),
        (RIGHT, (), (PARITY, FAILED), 1),
        (RIGHT, (), (PARITY, MODEL), 1),
        (RIGHT, (), (PARITY, LEFT_OUT), 3),
        (RIGHT, (), (PARITY, LEFT_OUT, FAILED), 1),
        (RIGHT, (), (), 3),
        (WRONG, (), (PARITY, LEFT_OUT), 1),
    ],
)
def test_only_where_nothing_is_wrong_now_and_the_build_had_passed_the_exit_code_is_0(artifact, faults, checks, code):
    bundle = LocalisedBundle((artifact,), faults, Report("b", checks))
    assert bundle.exit_code == code
    assert json.loads(layers_json("b", bundle))["passed"] is (code == 0)


def test_an_output_of_which_nothing_can_be_concluded_is_not_right():
    unjudged = Localisation("model.onnx", "onnxruntime", "random", (), (), unjudged=("y",))
    bundle = LocalisedBundle((unjudged,), (), Report("b", (PARITY,)))
    assert bundle.exit_code == 3
    assert "nothing can be concluded of y" in layers_table(bundle)
    assert "does not diverge" not in layers_table(bundle)


def test_a_model_that_is_at_fault_is_said_to_be_whether_found_now_or_by_the_build():
    other = ModelFault("other", "Odd", "called twice, it gives other results")
    found = LocalisedBundle((RIGHT,), (FAULT, other), Report("b", (PARITY, MODEL)))
    text = layers_table(found)
    assert "the model itself is at fault: layer 'odd' (Odd) is random" in text
    assert "the model itself is at fault: layer 'other' (Odd): called twice" in text
    assert "layer 'odd' (Odd): called twice" not in text  # the build has said it, with the line
    data = json.loads(layers_json("b", found))
    assert [fault["layer"] for fault in data["model_faults"]] == ["odd", "other"]
    assert len(data["model_at_fault"]) == 2


def test_what_the_build_said_of_a_rejected_bundle_is_repeated():
    found = LocalisedBundle((RIGHT,), (), Report("b", (PARITY, FAILED, LEFT_OUT)))
    text = layers_table(found)
    assert "rejected when it was built:\n  failed: parity saved_model in saved_model: output y: 1 instead of 2" in text
    assert "not checked when it was built:\n  adequacy: output y: y is the same on all goldens" in text
    build = json.loads(layers_json("b", found))["build"]
    assert (build["passed"], len(build["failed"]), len(build["unchecked"])) == (False, 1, 1)
