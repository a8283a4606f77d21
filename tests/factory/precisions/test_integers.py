"""Artifacts that take and return integers: written, converted at load, handed out raw; and what stays in float."""

import json
import re
import shutil

import keras
import numpy as np
import pytest

import kexport
from conftest import run_kexport
from kexport.bundle.quantization import AffineQuantization
from kexport.errors import ArtifactError, BundleError, ExportError, InputError, UsageError

RUNTIMES = [("litert", "int8"), ("litert", "int16x8"), ("litert_reference", "int8"), ("onnxruntime", "int8")]
X = np.random.default_rng(0).uniform(-5, 5, (3, 12)).astype("float32")


@pytest.fixture(scope="module")
def integers(tmp_path_factory):
    """A dense network of which the artifacts of integers take and return integers."""
    keras.utils.set_random_seed(1)
    x = keras.Input((12,), name="x")
    y = keras.layers.Dense(4, name="y")(keras.layers.Dense(16, activation="relu")(x))
    bundle = kexport.build(
        keras.Model(x, y),
        tmp_path_factory.mktemp("io") / "b",
        formats=["onnx", "tflite"],
        domain={"x": "uniform(-5, 5)"},
        precision="int16x8,int8",
        io="int",
    )
    assert bundle.passed
    return bundle


@pytest.fixture
def copied(integers, tmp_path):
    shutil.copytree(integers.path, tmp_path / "copy")
    return tmp_path / "copy"


def entry_of(path, name, change):
    manifest = json.loads((path / "manifest.json").read_text())
    change(next(each for each in manifest["artifacts"] if each["path"] == name))
    (path / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize(("runtime", "precision"), RUNTIMES)
@pytest.mark.parametrize("isolated", [False, True])
def test_callers_pass_and_get_floats_or_the_integers_themselves(integers, runtime, precision, isolated):
    served = kexport.load(integers.path, runtime, precision=precision, isolated=isolated)
    raw = kexport.load(integers.path, runtime, precision=precision, isolated=isolated, integers=True)
    dtype = {"int8": "int8", "int16x8": "int16"}[precision]
    assert [spec.dtype for spec in (*served.signature.inputs, *served.signature.outputs)] == ["float32"] * 2
    assert [spec.dtype for spec in (*raw.signature.inputs, *raw.signature.outputs)] == [dtype] * 2
    assert served.quantization == raw.quantization
    x, y = raw.quantization["x"], raw.quantization["y"]
    result = raw(x.quantized("x", X))
    assert result.dtype == dtype
    np.testing.assert_array_equal(y.real(result), served(X))
    wide = kexport.load(integers.path)(X)
    assert 0 < np.abs(served(X) - wide).mean() < 0.05 * np.abs(wide).max()
    with pytest.raises(InputError, match=r"model\.quantization\['x'\]\.quantized\('x', x\)"):
        raw(X)  # a cast alone would cut off what is behind the point
    with pytest.raises(InputError, match="holds NaN"):
        served(np.full_like(X, np.nan))


def test_the_file_itself_holds_integers(integers):
    import onnxruntime
    from ai_edge_litert.interpreter import Interpreter

    session = onnxruntime.InferenceSession(integers.path / "model.int8.onnx")
    assert [node.type for node in (*session.get_inputs(), *session.get_outputs())] == ["tensor(int8)"] * 2
    for name, dtype in (("int8", np.int8), ("int16x8", np.int16)):
        interpreter = Interpreter(str(integers.path / f"model.{name}.tflite"))
        sides = (*interpreter.get_input_details(), *interpreter.get_output_details())
        assert [detail["dtype"] for detail in sides] == [dtype] * 2


def test_integers_are_the_nearest_and_saturate():
    numbers = AffineQuantization("int8", 0.5, -3)
    assert numbers.quantized("x", np.array([0, 0.2, 0.3, -1, 100, -100, np.inf], "float32")).tolist() == [
        -3, -3, -2, -5, 127, -128, 127,
    ]  # fmt: skip
    assert numbers.real(np.array([-3, -2, 127], "int8")).tolist() == [0, 0.5, 65]
    assert str(numbers) == "0.5 x (int8 + 3)"


def test_another_scale_in_the_manifest_is_found(copied):
    entry_of(copied, "model.int8.tflite", lambda entry: entry["quantization"]["y"].update(scale=1.0))
    with pytest.raises(ArtifactError, match="not the model that the manifest describes") as caught:
        kexport.load(copied, "litert", precision="int8")
    assert "1 x (int8" in str(caught.value)
    report = kexport.verify(copied, ["litert"])
    assert [check.artifact for check in report.checks if not check.passed] == ["model.int8.tflite"]


@pytest.mark.parametrize("value", [{"scale": 0}, {"scale": "a"}, {"dtype": "int4"}, {"zero_point": 300}])
def test_a_scale_that_no_integers_have_is_refused(copied, value):
    entry_of(copied, "model.int8.onnx", lambda entry: entry["quantization"]["x"].update(value))
    with pytest.raises(BundleError, match=r"artifacts\[2\].quantization"):
        kexport.load(copied)


def test_floats_are_not_handed_out_as_integers(integers):
    with pytest.raises(UsageError, match=r"model\.onnx takes and returns real numbers"):
        kexport.load(integers.path, integers=True)


def test_what_has_no_integer_arithmetic_has_no_integer_inputs(tmp_path):
    with pytest.raises(UsageError, match="none of the precisions has integer inputs"):
        kexport.build("lowpass", tmp_path / "b", precision="float16", io="int")
    with pytest.raises(UsageError, match="unknown inputs and outputs 'int8'"):
        kexport.build("lowpass", tmp_path / "b", precision="int8", io="int8")


def rooted():
    x = keras.Input((8,), name="x")
    y = keras.layers.Dense(4, name="dense")(x)
    return keras.Model(x, keras.ops.sqrt(keras.ops.abs(y) + 1))


def test_an_output_that_stays_in_float_is_refused_as_integers_and_named_otherwise(tmp_path):
    with pytest.raises(ExportError, match="cannot be written as onnx int8") as caught:
        kexport.build(rooted(), tmp_path / "b", formats=["onnx"], precision="int8", io="int")
    assert "io='float'" in str(caught.value)
    bundle = kexport.build(rooted(), tmp_path / "b", formats=["onnx", "tflite"], precision="int8")
    stayed = {artifact.path: artifact.float_operators for artifact in bundle.manifest.artifacts}
    assert stayed["model.onnx"] is None
    assert [op for op, _ in stayed["model.int8.onnx"]] == ["Sqrt"]
    assert stayed["model.int8.tflite"] == ()
    assert any(note.startswith("model.int8.onnx computes in float: Sqrt of") for note in bundle.report.notes)
    done = run_kexport("inspect", bundle.path, cwd=tmp_path)
    assert re.search(r"float_operators +Sqrt of operation 'sqrt", done.stdout)


def test_promises_at_the_ends_of_a_recording_need_calibration_there(tmp_path):
    bursts = np.zeros((64, 64), "float32")
    bursts[:, 30] = np.linspace(4, 8, 64)  # a constant at the maximum was not recorded: the filter returns far more
    failed, passed = (
        kexport.build(
            "lowpass", tmp_path / name, samples=bursts, formats=["tflite"], precision="int8", calibration=name
        )
        for name in ("samples", "domain")
    )
    assert not failed.passed
    (wrong, *_) = (check for check in failed.report.checks if check.kind == "contract" and not check.passed)
    assert wrong.artifact == "model.int8.tflite"
    assert "--calibration domain" in wrong.detail
    contracts = [check for check in passed.report.checks if check.kind == "contract"]
    assert contracts
    assert all(check.passed for check in contracts)
    with pytest.raises(UsageError, match="unknown calibration 'all'"):
        kexport.build("lowpass", tmp_path / "b", precision="int8", calibration="all")


def test_what_is_always_zero_stays_zero_and_is_told_where_it_does_not(tmp_path):
    """A scale of 0 would make infinite ones behind it."""
    x = keras.Input((12,), name="x")
    dead = keras.layers.Dense(16, activation="relu", name="dead", bias_initializer=keras.initializers.Constant(-99.0))
    model = keras.Model(x, keras.layers.Dense(4, name="y", bias_initializer="ones")(dead(x)))
    quiet = kexport.build(
        model, tmp_path / "quiet", formats=["tflite"], domain={"x": "uniform(-5, 5)"}, precision="int16x8"
    )
    assert [each for each in quiet.report.checks if each.artifact == "model.int16x8.tflite" and not each.passed] == []
    loud = kexport.build(model, tmp_path / "loud", formats=["tflite"], precision="int16x8", keep_going=True)
    assert any("layer 'dead' (Dense) are outside" in str(note) for note in loud.report.notes)
