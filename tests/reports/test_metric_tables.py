"""How the figures of a metric are shown: beside the truth, and one model above the other."""

import json
from dataclasses import replace

from kexport.bundle.report import Check, CheckKind, Measurement, Report, Subject
from kexport.reports import github, junit, pairs
from kexport.reports import json as to_json
from kexport.reports._metrics import metric_legend, metric_rows

WITHIN = {"interval": [90.0, 97.5], "interval_method": "Wilson score", "metric": "accuracy", "samples": 200}
TRUTH = Check(CheckKind.METRIC, True, Subject(None, "truth", "y"), Measurement(95.0, unit="%"), metrics=WITHIN)
WORSE = Check(
    CheckKind.METRIC, True, Subject("model.onnx", "onnxruntime", "y"), Measurement(94.5, unit="%"),
    metrics={**WITHIN, "drop": 0.5, "rounding": 1e-4, "worse_rows": 1},
)  # fmt: skip
GATE = Check(
    CheckKind.METRIC, False, Subject("new.onnx", "onnxruntime", "y"), Measurement(2.5, 0.5, "points"),
    ("B is worse by 2.50 points", "5 of 200 rows from right to wrong: 1, 2, 3, 4, 5"),
    metrics={
        "metric": "accuracy", "unit": "%",
        "a": {"artifact": "old.onnx", "runtime": "onnxruntime", "figure": 95.0, "interval": [90.0, 97.5]},
        "b": {"artifact": "new.onnx", "runtime": "onnxruntime", "figure": 92.5, "interval": None},
    },
)  # fmt: skip


def test_each_artifact_stands_beside_the_truth_with_its_interval_and_the_change():
    assert [*metric_rows([TRUTH, WORSE])] == [
        ("-", "truth", "95.00 %", "90.00 to 97.50", "-"),
        ("model.onnx", "onnxruntime", "94.50 %", "90.00 to 97.50", "-0.50"),
    ]
    first, second = metric_legend([TRUTH, WORSE])
    assert first == "accuracy of y over 200 samples; change: against the truth in points; intervals: Wilson score"
    assert second.startswith("up to 1 ")


def test_an_error_that_grows_has_a_plus_and_one_that_rounding_explains_is_none():
    figures = {**WITHIN, "drop": 0.25, "rounding": 1e-6, "higher_is_better": False}
    error = replace(WORSE, measured=Measurement(1.25, unit="mae"), metrics=figures)
    (row,) = metric_rows([error])
    assert row[2:] == ("1.25", "90 to 97.5", "+0.25")
    (row,) = metric_rows([replace(error, metrics={**figures, "drop": 1e-7})])
    assert row[-1] == "0"


def test_two_models_stand_one_above_the_other_and_why_the_gate_is_red_below():
    lines = pairs.render(Report("new against old", (GATE,))).splitlines()
    assert lines[:5] == [
        "   accuracy   95 % interval  model",
        "A   95.00 %  90.00 to 97.50  old.onnx onnxruntime",
        "B   92.50 %               -  new.onnx onnxruntime",
        "FAIL B is worse by 2.50 points",
        "  5 of 200 rows from right to wrong: 1, 2, 3, 4, 5",
    ]
    assert lines[-1] == "new against old: 1 checks, 1 failed"


def test_a_gate_alone_is_something_that_was_compared():
    report = Report("new against old", (replace(GATE, passed=True),))
    assert report.passed
    assert not Report("b", (TRUTH, WORSE)).passed, "figures without a limit prove nothing"


def test_the_gate_stands_in_github_and_junit():
    text = github.render(Report("new against old", (GATE,)))
    assert "2.50 points, the limit is 0.50" in text
    assert 'failure message="B is worse by 2.50 points; 5 of 200' in junit.render(Report("new against old", (GATE,)))
    assert "| 95.00 | - | % |" in github.markdown(Report("b", (TRUTH,)))


def test_only_a_report_with_metrics_needs_a_newer_reader():
    assert Report("b", (GATE,)).to_json()["schema"] == 3
    assert Report("b", ()).to_json()["schema"] == 2
    assert Report.from_json(json.loads(to_json.render(Report("b", (GATE,))))).checks == (GATE,)
