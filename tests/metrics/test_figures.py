"""The figures of metrics are those of scikit-learn, for every form of outputs and labels."""

import numpy as np
import pytest
from sklearn import metrics as sklearn

from kexport import metrics
from kexport.bundle.signature import TensorSpec
from kexport.metrics import MetricError
from kexport.testing.closeness import assert_close

RNG = np.random.default_rng(3)
LABELS = RNG.integers(8, size=60)
SCORES = RNG.normal(size=(60, 8)).astype("float32")
SCORES[np.arange(60), LABELS] += 1


def scores_of(name, labels, outputs):
    metric = metrics.get(name)
    outputs = np.asarray(outputs)
    dtype = "string" if outputs.dtype.kind == "U" else outputs.dtype.name
    fitted = metric.fit(np.asarray(labels), TensorSpec("y", dtype, (None, *outputs.shape[1:])))
    return metric.score(fitted.seen(outputs), outputs)


def figure(name, labels, outputs):
    return scores_of(name, labels, outputs).value()


def refusal(name, labels, outputs):
    with pytest.raises(MetricError) as caught:
        figure(name, labels, outputs)
    return str(caught.value)


@pytest.mark.parametrize("labels", [LABELS, LABELS[:, None], np.eye(8)[LABELS], LABELS.astype(float)])
def test_accuracy_top5_and_f1_are_those_of_scikit_learn_for_numbers_and_one_hot(labels):
    predicted = SCORES.argmax(axis=1)
    assert_close(figure("accuracy", labels, SCORES), 100 * sklearn.accuracy_score(LABELS, predicted))
    assert_close(figure("top5", labels, SCORES), 100 * sklearn.top_k_accuracy_score(LABELS, SCORES, k=5))
    assert_close(figure("f1", labels, SCORES), 100 * sklearn.f1_score(LABELS, predicted, average="macro"))


def test_a_class_that_never_occurs_does_not_count_in_f1():
    labels, predicted = np.array([0, 0, 2, 2, 2]), np.array([0, 2, 2, 2, 5])
    expected = 100 * sklearn.f1_score(labels, predicted, average="macro", zero_division=0)
    assert_close(figure("f1", labels, np.eye(8)[predicted]), expected)


def test_weights_count_a_sample_so_often():
    weights = RNG.integers(3, size=60)
    chosen = np.repeat(np.arange(60), weights)
    for name in ("accuracy", "top5", "f1"):
        repeated = figure(name, LABELS[chosen], SCORES[chosen])
        assert_close(scores_of(name, LABELS, SCORES).value(weights), repeated)


@pytest.mark.parametrize(("outputs", "threshold"), [([0.4, 0.6, 0.9, 0.2], 0.5), ([-0.4, 0.3, 2.0, 0.2], 0)])
def test_one_score_is_a_probability_where_all_are_from_0_to_1_else_a_logit(outputs, threshold):
    labels = np.array([0, 1, 1, 0])
    right = np.mean((np.array(outputs) > threshold) == labels)
    for shape in ((4,), (4, 1)):
        assert figure("accuracy", labels, np.reshape(outputs, shape)) == 100 * right
        assert figure("accuracy", labels[:, None], np.reshape(outputs, shape)) == 100 * right


def test_what_the_reference_decides_of_one_score_holds_for_other_outputs():
    metric, logits = metrics.get("accuracy"), np.array([[-1.0], [3.0]])
    fitted = metric.fit(np.array([0, 1]), TensorSpec("y", "float32", (None, 1))).seen(logits)
    assert metric.score(fitted, np.array([[0.4], [0.3]])).value() == 50, "both are above 0"


def test_every_position_of_a_sequence_counts():
    labels, outputs = LABELS.reshape(12, 5), SCORES.reshape(12, 5, 8)
    for name in ("accuracy", "top5", "f1"):
        assert_close(figure(name, labels, outputs), figure(name, LABELS, SCORES))
        assert_close(figure(name, np.eye(8)[labels], outputs), figure(name, LABELS, SCORES))


def test_an_output_may_hold_numbers_of_classes():
    assert figure("accuracy", np.array([0, 1, 2, 3]), np.array([0, 1, 5, 3])) == 75


def test_outputs_that_are_nan_are_never_right():
    outputs = SCORES.copy()
    outputs[:, 3] = np.nan
    assert figure("accuracy", LABELS, outputs) == 0
    assert figure("top5", LABELS, outputs) == 0
    assert figure("f1", LABELS, outputs) == 0
    assert figure("accuracy", np.array([0, 1]), np.array([[np.nan], [0.7]])) == 50


def test_of_equal_scores_the_lower_number_comes_first():
    assert figure("top5", np.array([4, 5]), np.zeros((2, 8))) == 50
    assert figure("accuracy", np.array([0, 5]), np.zeros((2, 8))) == 50


def test_errors_are_those_of_scikit_learn_for_one_and_for_several_columns():
    values, outputs = RNG.normal(size=(30, 3)), RNG.normal(size=(30, 3))
    assert_close(figure("mae", values, outputs), sklearn.mean_absolute_error(values, outputs))
    assert_close(figure("rmse", values, outputs), np.sqrt(sklearn.mean_squared_error(values, outputs)))
    assert_close(figure("mae", values[:, 0], outputs[:, :1]), sklearn.mean_absolute_error(values[:, 0], outputs[:, 0]))


def test_an_error_that_is_no_number_is_no_figure():
    outputs = np.ones((4, 1))
    outputs[2] = np.nan
    assert "in 1 rows, the first is 2" in refusal("rmse", np.ones(4), outputs)


@pytest.mark.parametrize(
    ("name", "labels", "words"),
    [
        ("accuracy", np.where(LABELS == 3, 8, LABELS), "expected: 0 to 7"),
        ("accuracy", LABELS - 1, "out of the range of classes"),
        ("accuracy", LABELS + 0.5, "no numbers of classes"),
        ("accuracy", np.where(LABELS == 3, np.nan, LABELS), "hold NaN"),
        ("accuracy", np.array(list("abcdefgh"))[LABELS], "numpy.unique"),
        ("accuracy", np.ones((60, 8)), "not one-hot"),
        ("accuracy", LABELS.reshape(30, 2), "do not fit output 'y'"),
        ("mae", LABELS, "takes numbers of classes"),
        ("mae", np.full((60, 8), np.inf), "NaN or infinity"),
        ("rmse", np.full((60, 8), "a"), "no numbers"),
    ],
)
def test_labels_that_do_not_fit_are_refused_in_words(name, labels, words):
    assert words in refusal(name, labels, SCORES)


def test_labels_of_two_classes_are_0_and_1():
    assert "expected: 0 to 1" in refusal("accuracy", np.array([-1, 1]), np.zeros((2, 1)))


def test_top5_of_few_classes_would_say_nothing():
    assert "more than 5" in refusal("top5", np.array([0, 1]), np.zeros((2, 5)))
    assert "--metric accuracy" in refusal("top5", np.array([0, 1]), np.zeros((2, 1)))


def test_texts_are_no_classes_to_compare():
    assert "FILE.py:callable" in refusal("accuracy", np.array([0, 1]), np.array(["a", "b"]))
