"""What bad input gets, from the command line: a message with subject and hint, the right exit code, no traceback."""

import json
import resource
import shutil
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from conftest import REFERENCE
from kexport.bundle.manifest import SCHEMA


def refused(result, code, *words):
    assert result.returncode == code, (result.stdout, result.stderr)
    assert "Traceback" not in result.stderr
    text = result.stderr + result.stdout
    for word in words:
        assert word in text, text


def test_an_unknown_model_names_the_nearest(kexport):
    refused(kexport("build", "--model", "lowpas"), 2, "unknown model 'lowpas'", "did you mean lowpass?")


def test_an_unknown_format_names_the_nearest(kexport):
    refused(kexport("build", "--model", "lowpass", "--formats", "onx"), 2, "unknown format 'onx'", "onnx")


def test_an_unknown_runtime_names_the_nearest(kexport):
    refused(kexport("verify", REFERENCE / "lowpass", "--runtime", "onnxruntim"), 2, "did you mean onnxruntime?")
    refused(kexport("run", REFERENCE / "lowpass", "--input", "a.npy", "--runtime", "lite"), 2, "litert")


def test_an_unknown_command_names_the_nearest(kexport):
    refused(kexport("biuld"), 2, "did you mean build?")


def test_an_unknown_setting_lists_the_known_ones(kexport):
    refused(kexport("build", "--model", "lowpass", "--set", "kernel=3"), 2, "no parameter 'kernel'", "kernel_size=None")


@pytest.mark.parametrize("setting", ["kernel_size=3.5", "cutoff=low", "padding=full"])
def test_an_ill_typed_setting_says_what_it_must_be(kexport, setting):
    refused(kexport("build", "--model", "lowpass", "--set", setting), 2, setting, "expected")


def test_a_setting_that_the_layer_refuses_says_why(kexport):
    refused(kexport("build", "--model", "lowpass", "--set", "kernel_size=4"), 2, "odd", "got 4")


def test_an_unreadable_domain_shows_how_to_write_one(kexport):
    for domain in ("signal=uniform(5, -5)", "signal=unifrom(1, 2)", "signal=uniform(a, b)", "signal"):
        refused(kexport("build", "--model", "lowpass", "--domain", domain), 2, "error")


def test_a_domain_for_an_input_that_is_not_there_names_the_inputs(kexport):
    refused(kexport("build", "--model", "lowpass", "--domain", "sgnal=uniform(0,1)"), 2, "did you mean signal?")


def test_a_missing_extra_names_the_pip_command(tmp_path, kexport):
    hide = "import importlib.util as u; f = u.find_spec; u.find_spec = lambda n, *a: None if n in {} else f(n, *a); "
    main = "from kexport.cli import main; main()"

    def without(*packages, args):
        code = hide.format(set(packages)) + f"import sys; sys.argv[1:] = {args}; " + main
        return subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60)

    refused(without("tf2onnx", args=["build", "--model", "lowpass"]), 2, "tf2onnx is missing", "kexport[build]")
    arguments = ["verify", str(REFERENCE / "lowpass"), "--runtime", "litert"]
    refused(without("ai_edge_litert", args=arguments), 3, "not installed", "pip install 'kexport[litert]'")
    everything = ("ai_edge_litert", "onnxruntime", "tensorflow", "keras")
    refused(without(*everything, args=arguments[:2]), 3, "no runtime that reads")


def test_a_truncated_keras_file_is_named(kexport, tmp_path):
    whole = (REFERENCE / "lowpass" / "model.keras").read_bytes()
    (tmp_path / "half.keras").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "empty.keras").write_bytes(b"")
    for name in ("half.keras", "empty.keras"):
        refused(kexport("build", "--model", name), 2, name, "cannot be read as a .keras file")
    refused(kexport("build", "--model", "none.keras"), 2, "there is no file none.keras")


UNREGISTERED = """
import keras
class Doubler(keras.layers.Layer):
    def call(self, x):
        return x * 2
x = keras.Input((3,), name="x")
keras.Model(x, Doubler(name="y")(x)).save("doubler.keras")
y = keras.layers.Lambda(lambda v: v * 2, name="twice")(x)
keras.Model(x, y).save("lambda.keras")
"""


@pytest.fixture(scope="session")
def odd_files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("odd")
    subprocess.run([sys.executable, "-c", UNREGISTERED], cwd=folder, check=True, capture_output=True, timeout=120)
    return folder


def test_an_unregistered_layer_is_named_with_the_decorator_to_add(kexport, odd_files):
    result = kexport("build", "--model", odd_files / "doubler.keras")
    refused(result, 2, "'Doubler'", "@keras.saving.register_keras_serializable", "--import")


def test_import_registers_a_users_own_layer(kexport, odd_files, tmp_path):
    (tmp_path / "mine.py").write_text(
        "import keras\n"
        "@keras.saving.register_keras_serializable(package='Custom', name='Doubler')\n"
        "class Doubler(keras.layers.Layer):\n"
        "    def call(self, x):\n"
        "        return x * 2\n"
    )
    with zipfile.ZipFile(odd_files / "doubler.keras") as old, zipfile.ZipFile(tmp_path / "m.keras", "w") as new:
        for item in old.namelist():
            data = old.read(item)
            if item == "config.json":
                data = data.replace(b'"registered_name": "Doubler"', b'"registered_name": "Custom>Doubler"')
            new.writestr(item, data)
    result = kexport("build", "--model", "m.keras", "--import", "mine.py", "--formats", "keras,onnx")
    assert result.returncode == 0, result.stderr
    refused(kexport("build", "--model", "m.keras", "--import", "none.py"), 2, "there is no such file")


def test_a_lambda_is_refused_and_can_be_allowed(kexport, odd_files):
    refused(kexport("build", "--model", odd_files / "lambda.keras"), 2, "'twice'", "bytecode", "--allow-lambda")
    formats = ("--formats", "keras,onnx")
    allowed = kexport("build", "--model", odd_files / "lambda.keras", "--allow-lambda", "--out", "b", *formats)
    assert allowed.returncode == 0, allowed.stderr
    refused(kexport("verify", "b", "--runtime", "keras"), 3, "Lambda", "--allow-lambda")


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((2, 3, 4), "float32"), ["wrong shape", "(2, 3, 4)", "(?, ?)"]),
        (np.zeros((2, 3), "float64"), ["wrong dtype", "float64", "float32"]),
        (np.zeros((0, 3), "float32"), ["is empty"]),
        (np.zeros((3, 0), "float32"), ["is empty"]),
    ],
)
def test_an_array_that_does_not_fit_is_refused_before_any_runtime(kexport, tmp_path, array, words):
    np.save(tmp_path / "x.npy", array)
    for runtime in ("onnxruntime", "litert"):
        result = kexport("run", REFERENCE / "lowpass", "--input", "x.npy", "--runtime", runtime)
        refused(result, 2, "input 'signal'", *words)


def test_a_wrong_input_name_names_the_right_one(kexport, tmp_path):
    np.savez(tmp_path / "x.npz", sgnal=np.zeros((1, 3), "float32"))
    refused(kexport("run", REFERENCE / "lowpass", "--input", "x.npz"), 2, "'sgnal'", "did you mean signal?")


def test_a_pickled_array_is_not_unpickled(kexport, tmp_path):
    np.save(tmp_path / "x.npy", np.array([{}]), allow_pickle=True)
    refused(kexport("run", REFERENCE / "lowpass", "--input", "x.npy"), 2, "x.npy cannot be read")


@pytest.mark.parametrize(
    ("text", "where"),
    [("1,2\nnan,4\n", "line 2, column 1"), ("1,2\n3,\n", "line 2, column 2"), ("1,2\n3\n", "different lengths"),
     ("a,b\n1,x\n", "line 2, column 2"), ("", "holds no numbers"), ("1,inf\n", "line 1, column 2")],
)  # fmt: skip
def test_a_csv_with_gaps_names_the_place(kexport, tmp_path, text, where):
    (tmp_path / "x.csv").write_text(text)
    refused(kexport("run", REFERENCE / "lowpass", "--input", "x.csv"), 2, "x.csv", where)


def test_a_flipped_byte_is_a_failed_check_and_never_reaches_a_runtime(kexport, reference):
    path = reference / "model.tflite"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    result = kexport("verify", reference, "--runtime", "litert", "--runtime", "onnxruntime", "--json")
    refused(result, 1, "not the file that the manifest describes")
    checks = json.loads(result.stdout)["checks"]
    assert {c["runtime"] for c in checks if c["kind"] == "parity"} == {"onnxruntime"}
    np.save(reference / "x.npy", np.zeros((1, 3), "float32"))
    refused(kexport("run", reference, "--input", reference / "x.npy", "--runtime", "litert"), 1, "model.tflite")


def test_a_flipped_byte_in_the_goldens_or_the_saved_model_is_found(kexport, reference):
    for name in ("goldens.npz", "saved_model/saved_model.pb"):
        path = reference / name
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        path.write_bytes(bytes(data))
        refused(kexport("verify", reference, "--runtime", "onnxruntime"), 1, name.split("/")[0])


def test_a_missing_file_is_a_failed_check(kexport, reference):
    (reference / "model.onnx").unlink()
    refused(kexport("verify", reference, "--runtime", "onnxruntime"), 1, "model.onnx is missing")


def test_a_newer_schema_is_refused(kexport, reference):
    edit(reference, schema=SCHEMA + 1)
    refused(kexport("verify", reference), 2, "newer schema", "pip install --upgrade kexport")
    edit(reference, schema="one")
    refused(kexport("verify", reference), 2, "no schema")


@pytest.mark.parametrize("path", ["../../etc/passwd", "/etc/passwd", "saved_model/../../x", ""])
def test_a_manifest_that_points_outside_its_folder_is_refused(kexport, reference, path):
    manifest = json.loads((reference / "manifest.json").read_text())
    manifest["artifacts"][0]["path"] = path
    (reference / "manifest.json").write_text(json.dumps(manifest))
    refused(kexport("verify", reference), 2, "outside its bundle")
    refused(kexport("inspect", reference), 2, "outside its bundle")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"schema": 1}'])
def test_a_damaged_manifest_is_named(kexport, reference, text):
    (reference / "manifest.json").write_text(text)
    refused(kexport("verify", reference), 2, "manifest.json")


def test_a_folder_without_a_manifest_is_no_bundle(kexport, tmp_path):
    refused(kexport("verify", tmp_path), 2, "is not a bundle")
    refused(kexport("verify", tmp_path / "none"), 2, "no such folder")


def test_a_target_that_is_not_a_bundle_is_not_overwritten(kexport, tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.png").write_bytes(b"cat")
    refused(kexport("build", "--model", "lowpass", "--out", "photos"), 2, "is in the way")
    assert (tmp_path / "photos" / "cat.png").read_bytes() == b"cat"


def test_an_unwritable_target_is_named_before_anything_is_imported(kexport, tmp_path):
    (tmp_path / "file").write_text("")
    refused(kexport("build", "--model", "lowpass", "--out", "file/b"), 2, "cannot be written")
    refused(kexport("build", "--model", "lowpass", "--out", "/proc/b"), 2, "cannot be written")


def test_a_full_target_is_named_and_leaves_nothing(kexport, tmp_path):
    def no_room():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500))

    result = kexport("build", "--model", "lowpass", "--out", "b", preexec_fn=no_room)
    refused(result, 2, "b cannot be written")
    assert list(tmp_path.iterdir()) == []


def test_a_runtime_that_the_bundle_has_no_artifact_for_is_unchecked(kexport, reference):
    manifest = json.loads((reference / "manifest.json").read_text())
    manifest["artifacts"] = [a for a in manifest["artifacts"] if a["format"] == "onnx"]
    (reference / "manifest.json").write_text(json.dumps(manifest))
    refused(kexport("verify", reference, "--runtime", "litert"), 3, "holds no tflite artifact")
    both = kexport("verify", reference, "--runtime", "litert", "--runtime", "onnxruntime")
    refused(both, 3, "not checked")
    (reference / "model.onnx").unlink()
    refused(kexport("verify", reference, "--runtime", "litert", "--runtime", "onnxruntime"), 1, "missing")


def test_an_artifact_that_no_longer_computes_the_model_fails_parity(kexport, reference):
    import hashlib

    import onnx

    model = onnx.load(reference / "model.onnx")
    taps = next(t for t in model.graph.initializer if onnx.numpy_helper.to_array(t).size == 5)
    wrong = onnx.numpy_helper.to_array(taps) * np.float32(1.001)
    taps.CopyFrom(onnx.numpy_helper.from_array(wrong, taps.name))
    onnx.save(model, reference / "model.onnx")
    manifest = json.loads((reference / "manifest.json").read_text())
    entry = next(a for a in manifest["artifacts"] if a["format"] == "onnx")
    entry["sha256"] = hashlib.sha256((reference / "model.onnx").read_bytes()).hexdigest()
    (reference / "manifest.json").write_text(json.dumps(manifest))
    refused(kexport("verify", reference, "--runtime", "onnxruntime"), 1, "FAIL", "instead of")


def edit(bundle, **changes):
    path = bundle / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_inspect_refuses_what_it_cannot_read(kexport, tmp_path):
    shutil.copy(REFERENCE / "lowpass" / "model.onnx", tmp_path / "half.onnx")
    (tmp_path / "half.onnx").write_bytes((tmp_path / "half.onnx").read_bytes()[:100])
    (tmp_path / "empty.tflite").write_bytes(b"")
    (tmp_path / "x.txt").write_text("x")
    for name in ("half.onnx", "empty.tflite", "x.txt", "none.onnx"):
        refused(kexport("inspect", name), 2, name)


def test_a_file_that_is_larger_than_any_is_bad_input(kexport, tmp_path):
    with (tmp_path / "model.onnx").open("wb") as file:
        file.truncate(1 << 40)
    refused(kexport("inspect", "model.onnx"), 2, "--max-bytes allows more")
    refused(kexport("compare", "model.onnx", str(REFERENCE / "lowpass")), 2, "model.onnx")


def test_graphs_within_graphs_are_refused_however_deep_they_are(kexport, tmp_path):
    graph = b""
    for _ in range(3000):
        branch = part(1, b"then_branch") + part(6, graph)
        graph = part(1, part(4, b"If") + part(5, branch))
    (tmp_path / "model.onnx").write_bytes(part(7, graph))
    refused(kexport("inspect", "model.onnx"), 2, "graphs within graphs")


def part(number, content):
    """A field of a protocol buffer message that holds bytes."""
    length, digits = len(content), []
    while length > 127:
        digits.append(length & 127 | 128)
        length >>= 7
    return bytes([number << 3 | 2, *digits, length]) + content


def test_a_producer_without_a_name_is_none(kexport, tmp_path):
    content = (REFERENCE / "lowpass" / "model.onnx").read_bytes()
    (tmp_path / "model.onnx").write_bytes(content + part(2, b" ") + part(3, b""))
    assert kexport("inspect", "model.onnx").returncode == 0
