"""Mixed precisions: by hand and by `auto`, in files that are built, read, run and proven."""

import json

import keras
import numpy as np
import pytest

import kexport
from conftest import run_kexport
from kexport.bundle.precision import KEPT
from kexport.errors import ExportError, UsageError


def network():
    """Convolutions, a pool and dense layers; the first and the last of these add most of the noise."""
    keras.utils.set_random_seed(0)
    x = keras.Input((16, 16, 1), name="x")
    h = keras.layers.Conv2D(8, 3, padding="same", activation="relu", name="c1")(x)
    h = keras.layers.Conv2D(8, 3, padding="same", name="c2")(h)
    h = keras.layers.ReLU(name="r2")(keras.layers.BatchNormalization(name="bn")(h))
    h = keras.layers.DepthwiseConv2D(3, padding="same", name="dw")(h)
    h = keras.layers.GlobalAveragePooling2D(name="gap")(h)
    h = keras.layers.Dense(32, activation="tanh", name="d1")(h)
    return keras.Model(x, keras.layers.Softmax(name="p")(keras.layers.Dense(10, name="d2")(h)))


def uneven():
    """Dense layers; the second is given numbers of unlike sizes: 8 bits for all of them leave nothing of most."""
    keras.utils.set_random_seed(0)
    sizes = np.array([300.0] + [1.0] * 11)
    x = keras.Input((12,), name="x")
    spread, mix = keras.layers.Dense(12, name="spread"), keras.layers.Dense(24, activation="relu", name="mix")
    h = mix(spread(x))
    for name in ("b", "c"):
        h = keras.layers.Dense(64, activation="relu", name=name)(h)
    spread.set_weights([np.eye(12) * sizes, np.zeros(12)])
    kernel, bias = mix.get_weights()
    mix.set_weights([kernel / sizes[:, np.newaxis], bias])
    return keras.Model(x, keras.layers.Dense(10, name="y")(h))


def build(folder, model=network, **options):
    given = {"formats": ["tflite"], "domain": {"x": "uniform(0, 1)"}, "precision": "int8"}
    return kexport.build(model(), folder, **{**given, **options})


def decibels(bundle, path):
    found = [check.figure for check in bundle.report.checks if check.kind == "parity" and check.artifact == path]
    return min(found)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return build(tmp_path_factory.mktemp("plain") / "b", formats=["onnx", "tflite"])


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    return build(tmp_path_factory.mktemp("kept") / "b", formats=["onnx", "tflite"], keep=["c1", "p"])


@pytest.mark.parametrize("form", ["onnx", "tflite"])
def test_layers_that_are_kept_compute_in_float_and_the_others_in_integers(plain, kept, form):
    path = f"model.int8.{form}"
    artifact = next(each for each in kept.manifest.artifacts if each.path == path)
    assert artifact.details[KEPT] == ["c1", "p"]
    layers = {layer for _, layer in artifact.float_operators}
    assert {"layer 'c1' (Conv2D)", "layer 'p' (Softmax)"} <= layers
    assert not any("'c2'" in layer or "'gap'" in layer for layer in layers)
    assert next(each for each in plain.manifest.artifacts if each.path == path).float_operators == ()
    assert decibels(kept, path) > decibels(plain, path) + 3
    assert kept.passed


def test_a_layer_that_is_none_is_refused_by_name(tmp_path):
    with pytest.raises(UsageError, match="no layer 'c3' to keep in float") as unknown:
        build(tmp_path / "b", keep="c3")
    assert "did you mean c2 or c1?" in str(unknown.value)
    with pytest.raises(ExportError, match="cannot be written as tflite int8") as caught:
        build(tmp_path / "b", keep="r2")
    assert "c1, c2, dw, gap, d1, d2, p" in str(caught.value)
    for options in ({"precision": "float16"}, {"precision": "auto"}):
        with pytest.raises(UsageError, match="keep"):
            build(tmp_path / "b", keep=["c1"], **options)


def test_the_command_line_keeps_layers_and_inspect_tells(tmp_path):
    options = ("--precision", "int8", "--formats", "tflite", "--out", "b")
    wrong = run_kexport("build", "lowpass", *options, "--keep", "other", cwd=tmp_path)
    assert wrong.returncode == 2
    assert "the model has no layer 'other' to keep in float" in wrong.stderr
    right = run_kexport("build", "scaled", *options, "--keep", "scaled_features", cwd=tmp_path)
    assert right.returncode == 0, right.stdout + right.stderr
    told = run_kexport("inspect", tmp_path / "b", cwd=tmp_path)
    assert "scaled_features" in next(line for line in told.stdout.splitlines() if line.strip().startswith("kept"))


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    return build(tmp_path_factory.mktemp("mixed") / "b", uneven, precision="auto", budget="sqnr=30dB")


def test_where_int8_misses_its_budget_some_layers_stay_in_float(mixed):
    assert mixed.passed
    assert [each.path for each in mixed.manifest.artifacts] == ["model.tflite", "model.int8.mixed.tflite"]
    artifact = mixed.manifest.artifacts[1]
    assert artifact.precision == "int8"
    assert 0 < len(artifact.details[KEPT]) < 5
    assert decibels(mixed, artifact.path) >= artifact.limits[0].decibels
    assert {path.name for path in mixed.path.glob("model.*")} == {
        "model.tflite", artifact.path, f"{artifact.path}.kernels.npz",
    }  # fmt: skip
    assert not (mixed.path / ".handover").exists()
    notes = [str(note) for note in mixed.report.notes]
    assert any(note.startswith("model.int8.mixed.tflite keeps in float, of 5 layers: ") for note in notes)
    (choice,) = (note for note in notes if note.startswith("tflite: int8 but for"))
    assert "the smallest that passed" in choice
    assert ", fails: parity" in choice


def test_a_mixed_artifact_is_proven_and_served_like_any_other(mixed):
    x = np.random.default_rng(0).uniform(0, 1, (2, 12)).astype("float32")
    coarse, wide = (kexport.load(mixed.path, "litert", precision=each)(x) for each in ("int8", "float32"))
    assert 0 < np.abs(coarse - wide).max() < 0.05
    assert kexport.verify(mixed.path).passed
    entry = json.loads((mixed.path / "manifest.json").read_text())["artifacts"][1]
    assert entry["kept"] == mixed.manifest.artifacts[1].details[KEPT]


def test_the_choice_is_the_exhaustive_one(tmp_path, monkeypatch):
    import mixed_precisions

    def small():
        keras.utils.set_random_seed(0)
        x = keras.Input((12,), name="x")
        h = keras.layers.Dense(40, activation="tanh", name="a")(x)
        h = keras.layers.Dense(20, activation="relu", name="b")(h)
        return keras.Model(x, keras.layers.Dense(3, name="y")(h))

    monkeypatch.setitem(mixed_precisions.MODELS, "small", small)
    outcomes = mixed_precisions.compared("small", "tflite")
    assert outcomes
    for outcome in outcomes:
        assert outcome.layers in (3, 4)
        assert outcome.chosen <= mixed_precisions.LARGER * outcome.best
