"""The release gate: red on a model that is worse by more than is allowed, green on itself, and no third colour."""

import numpy as np
import pytest

import kexport
import onnx_models as models
from kexport.errors import InputError, UsageError
from kexport.metrics import MetricError
from kexport.testing.closeness import assert_close

X = np.random.default_rng(1).normal(size=(400, 4)).astype("float32")
LABELS = (X @ models.WEIGHTS).argmax(axis=1)
WORSE = models.WEIGHTS.clip(-0.5, 0.5)
SHARE = ((X @ WORSE).argmax(axis=1) == LABELS).mean()


@pytest.fixture
def gate(tmp_path):
    np.savez(tmp_path / "x.npz", x=X)
    models.linear(tmp_path / "a.onnx")
    models.linear(tmp_path / "b.onnx", WORSE)

    def compare(b="b.onnx", *, labels=LABELS, metric="accuracy", a="a.onnx", **options):
        options = {"samples": tmp_path / "x.npz", **options}
        return kexport.compare(tmp_path / a, tmp_path / b, labels=labels, metric=metric, **options)

    return compare


def checks_of(report):
    return [check for check in report.checks if check.kind == "metric"]


def test_a_model_is_as_good_as_itself(gate):
    report = gate("a.onnx")
    assert report.passed
    assert report.exit_code == 0
    (check,) = checks_of(report)
    assert (check.figure, check.limit, check.unit) == (0, 0, "points")
    assert check.metrics["a"]["figure"] == check.metrics["b"]["figure"] == 100
    assert {each.kind for each in report.checks} == {"signature", "metric"}, "the outputs are not compared besides"


def test_a_worse_model_fails_with_both_figures_and_the_rows_that_it_gets_wrong(gate):
    report = gate(max_drop=0.5)
    assert report.exit_code == 1
    (check,) = checks_of(report)
    assert_close(check.figure, 100 - 100 * SHARE, ulps=16, scale=100)
    assert check.limit == 0.5
    assert check.metrics["a"]["figure"] == 100
    assert_close(check.metrics["b"]["figure"], 100 * SHARE)
    low, high = check.metrics["b"]["interval"]
    assert low < 100 * SHARE < high
    wrong = np.flatnonzero((X @ WORSE).argmax(axis=1) != LABELS)
    assert check.metrics["worse_rows"] == len(wrong)
    assert check.metrics["first_worse_rows"] == wrong[:100].tolist()
    assert f"{len(wrong)} of 400 rows from right to wrong: {', '.join(map(str, wrong[:5]))}" in check.detail


def test_a_drop_within_what_is_allowed_passes(gate):
    assert gate(max_drop=100 - 100 * SHARE).passed
    assert gate(max_drop=99).passed
    assert not gate(max_drop=100 - 100 * SHARE - 0.01).passed


def test_a_better_model_passes(gate):
    report = gate("a.onnx", a="b.onnx")
    assert report.passed
    assert "B is better by" in checks_of(report)[0].detail


def test_of_errors_less_is_better_and_the_drop_is_in_their_unit(gate):
    right = X @ models.WEIGHTS
    apart = np.abs(X @ WORSE - right)
    (check,) = checks_of(gate(labels=right, metric="mae", max_drop=0.01))
    assert not check.passed
    assert_close(check.figure, apart.mean(), dtype="float32", ulps=16)
    assert check.metrics["first_worse_rows"][0] == apart.mean(axis=1).argmax(), "the largest first"
    assert gate(labels=right, metric="rmse", max_drop=10).passed


def test_a_function_of_labels_and_outputs_is_a_metric(gate):
    def share(labels, outputs):
        return float((outputs.argmax(axis=1) == labels).mean())

    (check,) = checks_of(gate(metric=share, max_drop=0.001))
    assert not check.passed
    assert_close(check.figure, 1 - SHARE, ulps=16, scale=1)
    vars(share)["lower_is_better"] = True
    assert gate(metric=share).passed


def test_a_function_that_fails_on_the_reference_ends_the_comparison_and_on_the_other_model_fails_it(gate):
    def broken(labels, outputs):
        raise ValueError("no such class")

    def strict(labels, outputs):
        return 1.0 if (outputs.argmax(axis=1) == labels).all() else float("nan")

    with pytest.raises(MetricError, match="no such class"):
        gate(metric=broken)
    report = gate(metric=strict)
    assert report.exit_code == 1
    assert "no finite number" in checks_of(report)[0].detail


def test_outputs_that_are_nan_are_not_right(gate, tmp_path):
    models.linear(tmp_path / "nan.onnx", np.full_like(WORSE, np.nan))
    (check,) = checks_of(gate("nan.onnx"))
    assert check.metrics["b"]["figure"] == 0
    assert "B: the outputs of 400 samples hold NaN" in check.detail


def test_a_model_that_cannot_run_fails(gate, tmp_path):
    models.lookup(tmp_path / "short.onnx", np.zeros((2, 3), "float32"))
    models.lookup(tmp_path / "long.onnx", np.zeros((9, 3), "float32"))
    np.savez(tmp_path / "i.npz", i=np.arange(8))
    report = gate("short.onnx", a="long.onnx", samples=tmp_path / "i.npz", labels=np.zeros(8), domain=None)
    assert report.exit_code == 1
    assert "B (onnxruntime) fails" in checks_of(report)[0].detail


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"labels": None}, "^metric needs labels"),
        ({"metric": None}, "^labels needs a metric"),
        ({"labels": None, "metric": None, "max_drop": 1}, "^max_drop needs a metric"),
        ({"max_drop": -1}, "^max_drop is no number"),
        ({"max_drop": float("nan")}, "^max_drop is no number"),
        ({"samples": None}, "needs recorded samples"),
        ({"search": "10"}, "without search"),
        ({"witness": "w.npz"}, "without witness"),
        ({"tolerance": {"y": 1e-3}}, "without tolerance"),
        ({"metric": "z=accuracy"}, "no output 'z'"),
    ],
)
def test_a_wrong_request_is_refused(gate, options, words):
    with pytest.raises(UsageError, match=words):
        gate(**options)


@pytest.mark.parametrize(
    ("labels", "kind", "words"),
    [
        (LABELS[:-1], InputError, "399 labels"),
        (LABELS + 1, MetricError, "out of the range"),
        (np.where(LABELS == 0, np.nan, LABELS), MetricError, "NaN"),
        (np.array(list("abc"))[LABELS], MetricError, "no numbers"),
    ],
)
def test_labels_that_do_not_fit_are_refused(gate, labels, kind, words):
    with pytest.raises(kind, match=words):
        gate(labels=labels)


def test_labels_may_lie_in_the_file_of_the_samples(gate, tmp_path):
    np.savez(tmp_path / "both.npz", x=X, kind=LABELS)
    assert gate("a.onnx", samples=tmp_path / "both.npz", labels=f"{tmp_path}/both.npz:kind").passed
    with pytest.raises(UsageError, match="'kind' is no input"):
        gate("a.onnx", samples=tmp_path / "both.npz")
