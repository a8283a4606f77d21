"""A metric of the user's own: which functions are taken, and what they are told when they fail."""

import numpy as np
import pytest

from kexport import metrics
from kexport.bundle.signature import TensorSpec
from kexport.errors import UsageError
from kexport.metrics import MetricError

FILE = """
import beside

def share(labels, outputs):
    return float((outputs[:, 0] > 0.5).mean()) * beside.FACTOR

def loss(labels, outputs):
    return abs(labels - outputs[:, 0]).mean()
loss.lower_is_better = True

def fails(labels, outputs):
    raise ValueError("no such class")

def nothing(labels, outputs):
    labels[:] = 0

def rare(labels, outputs):
    if not labels.any():
        raise ValueError("only one class")
    return 1.0

NUMBER = 3
"""
LABELS, OUTPUTS = np.array([0, 1, 1, 0]), np.array([[0.1], [0.9], [0.8], [0.6]])


@pytest.fixture
def scores(tmp_path):
    (tmp_path / "beside.py").write_text("FACTOR = 1\n")
    (tmp_path / "own.py").write_text(FILE)

    def compute(name, labels=LABELS):
        metric, output = metrics.choose(f"{tmp_path}/own.py:{name}")
        assert output is None
        return metric, metric.score(metric.fit(labels, TensorSpec("y", "float64", (None, 1))), OUTPUTS)

    return compute


def test_a_function_in_a_file_gets_labels_and_outputs_and_imports_its_neighbours(scores):
    metric, computed = scores("share")
    assert (metric.name, metric.unit, metric.higher_is_better) == ("share", "", True)
    assert computed.value() == 0.75
    assert computed.interval().low < 0.75 < computed.interval().high


def test_a_function_says_by_an_attribute_that_less_is_better(scores):
    metric, _ = scores("loss")
    assert not metric.higher_is_better
    assert metric.drop(1.0, 3.0) == 2


def test_labels_may_be_of_any_kind(scores):
    assert scores("share", np.array(list("abba")))[1].value() == 0.75


def test_a_function_that_fails_or_returns_no_number_is_told_with_its_place(scores):
    with pytest.raises(MetricError, match=r"no such class \(own.py:12\)"):
        scores("fails")[1].value()
    with pytest.raises(MetricError, match="returned no finite number"):
        scores("nothing")[1].value()
    assert LABELS.any(), "what a function writes into its labels stays with it"


def test_where_a_function_fails_on_some_samples_there_is_no_interval(scores):
    _, computed = scores("rare")
    assert computed.value() == 1
    assert computed.interval() is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("own.py:shar", "did you mean share"),
        ("own.py:NUMBER", "has no function 'NUMBER'"),
        ("other.py:share", "there is no file"),
        ("broken.py:share", "ZeroDivisionError"),
    ],
)
def test_what_cannot_be_called_is_refused(scores, tmp_path, text, words):
    (tmp_path / "broken.py").write_text("1 / 0\n")
    with pytest.raises(UsageError, match=words):
        metrics.choose(f"{tmp_path}/{text}")


def test_a_name_may_have_an_output_before_it():
    assert metrics.choose("price=mae")[1] == "price"
    assert metrics.choose("mae")[1] is None
    with pytest.raises(UsageError, match="unreadable metric"):
        metrics.choose("=mae")
    with pytest.raises(UsageError, match="did you mean accuracy"):
        metrics.choose("acuracy")
