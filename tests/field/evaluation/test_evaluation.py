"""Evaluating a metric: how samples are fed, what a reference decides, and what is refused."""

import numpy as np
import pytest

import onnx_models as models
from kexport import runtimes
from kexport.bundle.digests import size
from kexport.bundle.signature import Signature, TensorSpec
from kexport.errors import InputError, UsageError
from kexport.field.evaluation import LabelledSamples, MetricRequest, score_artifact
from kexport.field.remote import ArtifactSource, RuntimeFailedError
from kexport.metrics import MetricError

X = np.random.default_rng(0).normal(size=(700, 4)).astype("float32")
LABELS = (X @ models.WEIGHTS).argmax(axis=1)


def signature(batch=None, outputs=("y",)):
    return Signature(
        (TensorSpec("x", "float32", (batch, 4)),), tuple(TensorSpec(name, "float32", (batch, 3)) for name in outputs)
    )


def evaluation(metric="accuracy", labels=LABELS, **options):
    return MetricRequest.of(metric, labels).evaluation(signature(**options), {"x": X[: len(labels)]})


def right(feeds):
    return {"y": feeds["x"] @ models.WEIGHTS}


def test_all_samples_are_fed_once_in_their_order():
    fed = []

    def run(feeds):
        fed.append(feeds["x"])
        return right(feeds)

    _, score = evaluation().reference(run)
    assert score.value == 100
    assert len(fed) > 1
    assert np.array_equal(np.concatenate(fed), X)


def test_a_fixed_batch_is_filled_up_and_what_fills_it_does_not_count():
    sizes = []

    def run(feeds):
        sizes.append(len(feeds["x"]))
        return right(feeds)

    asked = evaluation(batch=32)
    assert asked.score(run).value == 100
    assert set(sizes) == {32}
    assert sum(sizes) > len(X)
    assert len(asked.score(run).scores.goodness) == len(X)


def test_what_the_reference_decides_holds_for_others():
    labels = np.array([0, 1, 1])
    spec = Signature((TensorSpec("x", "float32", (None, 1)),), (TensorSpec("y", "float32", (None, 1)),))
    asked = MetricRequest.of("accuracy", labels).evaluation(spec, {"x": np.array([[-3], [0.4], [2]], "float32")})
    decided, score = asked.reference(lambda feeds: {"y": feeds["x"]})
    assert score.value == 100
    assert decided.score(lambda feeds: {"y": np.clip(feeds["x"], 0, 1)}).value == 100, "0.4 is above 0"
    assert decided.labels.remarks


def test_an_output_without_a_row_for_each_sample_has_no_metric():
    with pytest.raises(MetricError, match="no row for each sample"):
        evaluation().score(lambda feeds: {"y": right(feeds)["y"][:1]})


def test_one_of_several_outputs_must_be_named():
    with pytest.raises(UsageError, match="--metric y=accuracy"):
        evaluation(outputs=("y", "z"))
    assert evaluation("z=accuracy", outputs=("y", "z")).output.name == "z"
    with pytest.raises(UsageError, match="no output 'a'"):
        evaluation("a=accuracy")


def test_metric_and_labels_need_each_other():
    assert MetricRequest.of(None, None) is None
    with pytest.raises(UsageError, match="--metric needs labels"):
        MetricRequest.of("accuracy", None)
    with pytest.raises(UsageError, match="--labels needs a metric"):
        MetricRequest.of(None, LABELS)


def test_every_input_needs_a_sample_for_each_label():
    request = MetricRequest.of("accuracy", LABELS)
    with pytest.raises(InputError, match="700 labels"):
        request.evaluation(signature(), {"x": X[:600]})
    with pytest.raises(UsageError, match="'x' has none"):
        request.evaluation(signature(), {})
    with pytest.raises(UsageError, match="state"):
        request.evaluation(signature(), {"x": X}, stateful=True)
    with pytest.raises(UsageError, match="wrong shape"):
        LabelledSamples.of(signature(), {"x": X[:, :3]}, LABELS)


def test_the_score_of_an_artifact_is_that_of_its_runtime(tmp_path):
    path = models.linear(tmp_path / "m.onnx")
    runtime = runtimes.get("onnxruntime")
    source = ArtifactSource(tmp_path, path.name, runtime, signature())
    assert score_artifact(evaluation(), source, size(path)).value == 100
    path = models.linear(tmp_path / "narrow.onnx", models.WEIGHTS[:3])
    with pytest.raises(RuntimeFailedError):
        score_artifact(evaluation(), ArtifactSource(tmp_path, path.name, runtime, signature()), size(path))
