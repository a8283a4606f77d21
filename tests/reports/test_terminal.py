"""What the tables for people say of elements that their error says nothing of."""

import io

import pytest

from conftest import REFERENCE
from kexport.bundle.folder import Bundle
from kexport.bundle.report import Check, CheckKind, Measurement, Report, Subject
from kexport.parity.outcome import UNIT
from kexport.reports import terminal

COUNTS = {"elements": 68, "samples": 17, "samples_set_apart": 3}


def shown(**metrics):
    subjects = [Subject("model.onnx", runtime, "y") for runtime in ("onnxruntime", "other")]
    measured = Measurement(0.0, 4.8e-7, UNIT)
    checks = [Check(CheckKind.PARITY, True, each, measured, metrics={**COUNTS, **metrics}) for each in subjects]
    stream = io.StringIO()
    terminal.show(Report("b", tuple(checks)), Bundle.open(REFERENCE / "lowpass"), stream)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        ({"ill_conditioned": 26}, "wider limits for 26 of 68 elements of y: one ulp of the input moves them"),
        ({"set_apart": 4}, "set apart 4 of 68 elements of y, in 3 of 17 samples: one ulp changes the value"),
    ],
)
def test_elements_that_are_not_judged_like_the_others_are_counted_once(metric, words):
    assert shown(**metric).count(words) == 1
    assert words.split(" of ")[0] not in shown()
