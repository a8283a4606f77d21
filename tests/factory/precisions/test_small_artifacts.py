"""Artifacts in small precisions: built, proven within their budget, loaded, and found out when they are wrong."""

import json
import shutil

import keras
import numpy as np
import pytest

import kexport
from conftest import run_kexport
from kexport.bundle.digests import digest
from kexport.bundle.goldens import Golden
from kexport.bundle.precision import small_limits, usual_decibels
from kexport.errors import ExportError, UsageError
from kexport.parity.outputs import OutputsComparison

SMALL = {"onnx": ["float16", "dynamic", "int8"], "tflite": ["float16", "dynamic", "int16x8", "int8"]}
X = np.random.default_rng(0).uniform(-5, 5, (4, 200)).astype("float32")


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """The low-pass filter in every precision."""
    out = tmp_path_factory.mktemp("small") / "lowpass"
    return kexport.build("lowpass", out, formats=["onnx", "tflite"], precision="float16,dynamic,int16x8,int8")


@pytest.fixture
def copied(small, tmp_path):
    shutil.copytree(small.path, tmp_path / "copy")
    return tmp_path / "copy"


def test_every_precision_of_every_format_is_written_and_proven(small):
    assert small.passed
    manifest = json.loads((small.path / "manifest.json").read_text())
    assert manifest["schema"] == 2
    found = {name: [] for name in SMALL}
    for artifact in small.manifest.artifacts:
        if artifact.precision == "float32":
            assert artifact.limits == ()
            continue
        found[artifact.format].append(artifact.precision)
        assert artifact.path == f"model.{artifact.precision}.{artifact.format}"
        (limit,) = artifact.limits
        assert (limit.output, limit.decibels) == ("filtered", usual_decibels(artifact.precision))
        parity = [c for c in small.report.checks if c.artifact == artifact.path and c.kind == "parity"]
        assert {check.runtime for check in parity} == {
            "onnx": {"onnxruntime"}, "tflite": {"litert", "litert_reference"},
        }[artifact.format]  # fmt: skip
        assert all(check.limit == limit.decibels < check.figure < 160 for check in parity)
    assert {name: sorted(precisions) for name, precisions in found.items()} == {
        name: sorted(precisions) for name, precisions in SMALL.items()
    }


def test_half_precision_rounds_weights_and_nothing_else(small):
    found = {check.artifact: check.figure for check in small.report.checks if check.kind == "parity"}
    assert found["model.float16.onnx"] > found["model.float16.tflite"] - 1


def test_small_artifacts_are_smaller_in_precision_than_float32_and_each_is_another_file(small):
    digests = {artifact.sha256 for artifact in small.manifest.artifacts}
    assert len(digests) == len(small.manifest.artifacts) == 9
    wide = kexport.load(small.path, "litert")(X)
    errors = [
        np.abs(kexport.load(small.path, "litert", precision=each)(X) - wide).max() for each in ("int16x8", "int8")
    ]
    assert 0 < errors[0] < errors[1] < 0.2


def test_the_most_exact_is_loaded_unless_another_is_asked_for(small):
    wide = kexport.load(small.path)
    assert np.array_equal(wide(X), kexport.load(small.path, precision="float32")(X))
    coarse = kexport.load(small.path, precision="int8")
    assert not np.array_equal(coarse(X), wide(X))
    with pytest.raises(UsageError, match="no artifact in precision 'int4'") as caught:
        kexport.load(small.path, precision="int4")
    assert "float32, float16" in str(caught.value)
    with pytest.raises(kexport.KexportError, match="can read in int16x8"):
        kexport.load(small.path, "onnxruntime", precision="int16x8")


@pytest.mark.parametrize("runtime", ["onnxruntime", "litert"])
@pytest.mark.parametrize("precision", ["float16", "dynamic", "int8"])
@pytest.mark.parametrize("beside", [1e6, np.inf])
def test_what_else_is_in_a_batch_changes_no_answer(small, runtime, precision, beside):
    model = kexport.load(small.path, runtime, precision=precision)
    alone = model(X[:1])
    assert np.array_equal(model(np.stack([X[0], np.full_like(X[0], beside)]))[:1], alone)


def test_an_onnx_file_that_measures_ranges_during_a_call_takes_one_sample(small):
    import onnx

    pinned = {artifact.path for artifact in small.manifest.artifacts if "pinned" in artifact.details}
    assert pinned == {"model.dynamic.onnx"}
    graph = onnx.load(small.path / "model.dynamic.onnx").graph
    assert [value.type.tensor_type.shape.dim[0].dim_value for value in (*graph.input, *graph.output)] == [1, 1]


def test_a_small_artifact_is_loaded_again_from_its_pickle(small):
    import pickle

    coarse = kexport.load(small.path, "litert", precision="int8")
    assert np.array_equal(pickle.loads(pickle.dumps(coarse))(X), coarse(X))


def test_the_command_line_runs_the_precision_that_is_named(small, tmp_path):
    np.save(tmp_path / "x.npy", X)
    for name in ("float32", "int8"):
        given = ("--input", "x.npy", "--output", f"{name}.npy", "--runtime", "litert", "--precision", name)
        done = run_kexport("run", small.path, *given, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    wide, coarse = (np.load(tmp_path / f"{name}.npy") for name in ("float32", "int8"))
    assert 0 < np.abs(wide - coarse).max() < 0.2


def test_a_small_artifact_with_wrong_scales_is_found(copied):
    manifest = json.loads((copied / "manifest.json").read_text())
    entry = next(each for each in manifest["artifacts"] if each["path"] == "model.int8.tflite")
    path = copied / entry["path"]
    _double_scale_of_output(path)
    entry["sha256"], entry["bytes"] = digest(path), path.stat().st_size
    (copied / "manifest.json").write_text(json.dumps(manifest))
    report = kexport.verify(copied, ["litert"])
    failed = {check.artifact for check in report.checks if not check.passed}
    assert failed == {"model.int8.tflite"}
    parity = next(check for check in report.checks if check.kind == "parity" and not check.passed)
    assert parity.figure < 10
    assert "less than the least of int8" in parity.detail


def _double_scale_of_output(path):
    from tensorflow.lite.tools import flatbuffer_utils

    model = flatbuffer_utils.read_model(str(path))
    graph = model.subgraphs[0]
    last = graph.operators[-1]  # makes floats of it
    quantized = graph.tensors[last.inputs[0]].quantization
    quantized.scale = quantized.scale * 2
    flatbuffer_utils.write_model(model, str(path))


def test_a_budget_that_nothing_meets_rejects_the_bundle(tmp_path):
    bundle = kexport.build("lowpass", tmp_path / "b", formats=["tflite"], precision=["int8"], budget="sqnr=60dB")
    assert not bundle.passed
    failed = [check for check in bundle.report.checks if check.kind == "parity" and not check.passed]
    assert {(check.artifact, check.limit) for check in failed} == {("model.int8.tflite", 60.0)}
    assert "--budget" in failed[0].detail
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"precision": "int4"}, "unknown precision 'int4'"),
        ({"precision": "int16x8", "formats": ["onnx"]}, "none of the formats can be written as int16x8"),
        ({"precision": "int8", "formats": ["keras"]}, "none of the formats can be written as int8"),
        ({"budget": "35"}, "unreadable budget '35'"),
        ({"budget": "sqnr=-3dB"}, "unreadable budget"),
        ({"budget": "sqnr=0dB"}, "unreadable budget"),
    ],
)
def test_what_cannot_be_asked_for_is_refused_at_once(tmp_path, given, words):
    with pytest.raises(UsageError, match=words):
        kexport.build("lowpass", tmp_path / "b", **given)
    assert not list(tmp_path.iterdir())


def test_what_a_small_precision_cannot_hold_is_refused_by_its_name(tmp_path):
    ids = keras.Input((6,), dtype="int32", name="ids")
    model = keras.Model(ids, keras.layers.Embedding(9, 4, name="y")(ids))
    with pytest.raises(ExportError, match="cannot be written as tflite int16x8") as caught:
        kexport.build(model, tmp_path / "b", formats=["tflite"], precision="int16x8")
    assert "leave out int16x8 (precision)" in str(caught.value)
    assert not (tmp_path / "b").exists()


def test_a_promise_may_be_missed_by_a_few_errors_of_the_goldens_and_no_more(small):
    checks = [check for check in small.report.checks if check.artifact == "model.int8.tflite"]
    promised = [check for check in checks if (check.contract or "").startswith("linear")]
    assert {check.runtime for check in promised} == {"litert", "litert_reference"}
    for check in promised:  # the peak that the budget allows would be 2
        assert check.figure < check.limit < 0.3


@pytest.mark.parametrize("precision", [None, "float32"])
def test_a_budget_that_no_artifact_has_to_keep_is_refused(tmp_path, precision):
    with pytest.raises(UsageError, match="the budget 'sqnr=35dB' is of no artifact"):
        kexport.build("scaled", tmp_path / "out", precision=precision, budget="sqnr=35dB")


def test_one_case_of_a_small_precision_is_judged_by_the_peak_that_its_budget_allows(small):
    signature = small.signature
    (wide,) = small.manifest.limits
    (limit,) = small_limits([wide], signature, "int8", None)
    truth = {"filtered": np.full((1, 4), wide.scale)}
    for error, passed in ((0.05, True), (5.0, False)):
        comparison = OutputsComparison(signature, [limit.of_one_case()], one_case=True)
        comparison.add_golden(
            Golden("a witness", {"signal": X[:1, :4]}, truth), {"filtered": np.float32(truth["filtered"] * (1 + error))}
        )
        (outcome,) = comparison.outcomes().values()
        assert outcome.ran
        assert (not outcome.problems) == passed


def test_layers_of_a_healthy_small_artifact_are_not_to_blame(tmp_path):
    bundle = kexport.build("lowpass", tmp_path / "b", formats=["keras", "tflite"], precision="int8")
    healthy = run_kexport("localise", bundle.path, "--runtime", "litert", cwd=tmp_path)
    assert healthy.returncode == 0, healthy.stdout
    assert healthy.stdout.count("every output is within its limit") == 2
    _double_scale_of_output(bundle.path / "model.int8.tflite")
    wrong = run_kexport("localise", bundle.path, "--runtime", "litert", cwd=tmp_path)
    assert wrong.returncode == 1, wrong.stdout
    assert wrong.stdout.count("every output is within its limit") == 1


def test_a_model_that_mixes_samples_itself_keeps_its_batches(tmp_path):
    x = keras.Input((4,), name="x")
    y = keras.layers.Dense(3)(x)
    model = keras.Model(x, keras.layers.Identity(name="y")(y - keras.ops.mean(y, axis=0, keepdims=True)))
    bundle = kexport.build(model, tmp_path / "mixing", formats=["onnx"], precision="dynamic")
    assert bundle.passed
    assert [artifact.details.get("pinned") for artifact in bundle.manifest.artifacts] == [None, None]
