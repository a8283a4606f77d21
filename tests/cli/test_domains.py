"""`--domain` and `--samples`, from the command line to the bundle and back."""

import json

import numpy as np
import pytest
from test_bad_input import refused

from kexport.bundle import samples
from kexport.bundle.domain import Samples
from kexport.bundle.folder import Bundle


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A bundle built on recorded data, and that data."""
    from conftest import run_kexport

    folder = tmp_path_factory.mktemp("recorded")
    signal = np.random.default_rng(3).normal(size=(300, 24)).cumsum(axis=1)
    np.savetxt(folder / "rec.csv", signal, delimiter=",", header="a,b", comments="")
    result = run_kexport(
        *("build", "--model", "lowpass", "--formats", "onnx", "--samples", "rec.csv", "--out", "b"), cwd=folder
    )
    assert result.returncode == 0, result.stderr
    return folder / "b", signal.astype("float32"), result.stdout


def test_recorded_data_is_the_domain_and_comes_back_as_it_was(recorded):
    path, signal, said = recorded
    bundle = Bundle.open(path)
    assert bundle.manifest.domains == {"signal": "samples(300)"}
    domain = bundle.domains()["signal"]
    assert isinstance(domain, Samples)
    assert np.array_equal(domain.values, signal)
    assert "150 recorded rows for checks, 150 others for calibration" in said
    assert bundle.manifest.samples.rows["signal"] == samples.Rows(150, 150)


def test_every_recorded_row_of_the_checking_part_is_a_golden(recorded):
    path, signal, _ = recorded
    tried = [golden.inputs["signal"] for golden in Bundle.open(path).goldens()]
    rows = np.concatenate([each for each in tried if each.shape[1] == 24])
    assert np.array_equal(rows, signal[samples.split(300)[0]])


def test_changed_recorded_data_fails_verify(recorded, kexport, tmp_path):
    import shutil

    copy = shutil.copytree(recorded[0], tmp_path / "copy")
    assert kexport("verify", copy).returncode == 0
    with (copy / samples.FILE_NAME).open("ab") as file:
        file.write(b" ")
    refused(kexport("verify", copy), 1, "digest samples.npz", "not the file that the manifest describes")


def test_an_undeclared_domain_is_shown_by_build_verify_and_inspect(kexport, tmp_path):
    (tmp_path / "m.py").write_text(
        "import keras\n"
        "def model():\n"
        "    x, y = keras.Input((3,), name='x'), keras.Input((3,), name='y')\n"
        "    return keras.Model([x, y], keras.layers.Add(name='sum')([x, y]))\n"
    )
    np.savez(tmp_path / "x.npz", x=np.ones((9, 3)))
    built = kexport("build", "--model", "m.py:model", "--formats", "onnx", "--samples", "x.npz", "--out", "b")
    note = "input y has no declared domain: uniform(-1, 1) is the default"
    assert built.returncode == 0, built.stderr
    assert built.stdout.count(note) == 1
    assert "input x has no declared domain" not in built.stdout
    assert note in json.loads(kexport("verify", "b", "--json").stdout)["notes"]
    assert "in uniform(-1, 1), not declared: the default" in kexport("inspect", "b").stdout
    assert json.loads((tmp_path / "b" / "manifest.json").read_text())["undeclared"] == {"y": "the default"}


def arrays(folder):
    np.savez(folder / "wrong_name.npz", sgnal=np.zeros((3, 4)))
    np.savez(folder / "right.npz", signal=np.zeros((3, 4)))
    np.savez(folder / "empty.npz")
    np.save(folder / "pickled.npy", np.array([{}], dtype=object), allow_pickle=True)
    np.save(folder / "rank.npy", np.zeros((3, 4, 5)))
    np.save(folder / "none.npy", np.zeros((0, 5)))
    (folder / "cut.npz").write_bytes((folder / "right.npz").read_bytes()[:-30])
    (folder / "no.csv").write_text("")
    (folder / "gap.csv").write_text("1,2\nnan,3\n")


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("missing.csv", ["there is no file missing.csv"]),
        ("empty.npz", ["holds no array"]),
        ("pickled.npy", ["cannot be read", "pickle"]),
        ("none.npy", ["holds no samples", "(0, 5)"]),
        ("cut.npz", ["cannot be read"]),
        ("no.csv", ["holds no numbers"]),
        ("gap.csv", ["line 2, column 1"]),
        ("right.txt", ["not a file that kexport can read"]),
        ("right.npz", ["two domains", "right.npz"]),
    ],
)
def test_recorded_data_that_cannot_be_read_is_refused_before_tensorflow_is_imported(kexport, tmp_path, file, words):
    arrays(tmp_path)
    result = kexport("build", "--model", "lowpass", "--samples", file, "--domain", "signal=uniform(0, 1)")
    refused(result, 2, *words)
    assert "importing" not in result.stderr


def test_recorded_data_that_does_not_fit_the_model_is_refused(tmp_path, monkeypatch):
    import keras

    import kexport
    from kexport.errors import UsageError

    monkeypatch.chdir(tmp_path)
    arrays(tmp_path)
    x, y = keras.Input((3,), name="x"), keras.Input((3,), name="y")
    two = keras.Model([x, y], x + y)
    one = keras.Model(x, x * 2)
    three = np.zeros((4, 3), "float32")
    np.save("three.npy", three)
    for model, given, domain, message in [
        (one, "wrong_name.npz", None, "'sgnal', which is not an input"),
        (one, "rank.npy", None, "wrong shape"),
        (one, "three.npy", {"x": "uniform(0, 1)"}, "two domains"),
        (one, {"x": three}, {"x": "uniform(0, 1)"}, "two domains"),
        (one, {}, None, "holds no arrays"),
        (two, "three.npy", None, "holds one array, but the model has 2 inputs"),
        (two, three, None, "holds one array"),
        (two, {"x": three, "y": three[:2]}, None, "differ in number"),
        (one, np.zeros((4, 3), "complex64"), None, "do not fit dtype float32"),
        (one, np.full((4, 3), "a"), None, "neither a range nor samples"),
    ]:
        with pytest.raises(UsageError, match=message):
            kexport.build(model, "b", formats=["onnx"], samples=given, domain=domain)
    assert not (tmp_path / "b").exists()


def test_an_array_tells_what_a_model_takes_that_was_never_called(tmp_path):
    import keras

    import kexport

    class Doubled(keras.Model):
        def call(self, values):
            return values * 2

    samples = np.random.default_rng(0).normal(size=(40, 3)).astype("float32")
    bundle = kexport.build(Doubled(), tmp_path / "b", formats=["onnx"], samples=samples)
    assert bundle.passed
    assert list(bundle.manifest.domains.values()) == ["samples(40)"]
