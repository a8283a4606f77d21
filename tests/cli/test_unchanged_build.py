"""A build that would write the bundle that is there ends at once, and says so; whatever has changed is built."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conftest import REFERENCE
from kexport.bundle import counterexamples
from kexport.bundle.digests import digest
from kexport.bundle.folder import Bundle
from kexport.factory import BuildRequest, Conversion, Declarations
from kexport.factory.fingerprint import fingerprint, own_code
from kexport.field.trust import Trust
from kexport.parity.strictness import Strictness

KEPT = "is as a build would write it"
BUILD = ("build", "lowpass", "--formats", "onnx")


def written(bundle: Path) -> dict[str, tuple[int, int]]:
    return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in bundle.iterdir()}


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from conftest import run_kexport

    folder = tmp_path_factory.mktemp("once")
    assert "built" in run_kexport(*BUILD, cwd=folder).stdout
    return folder


@pytest.fixture
def folder(once: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(once, tmp_path / "copy"))


def test_nothing_is_written_and_tensorflow_is_not_imported(folder: Path) -> None:
    bundle = folder / "artifacts" / "lowpass"
    before = written(bundle)
    code = f"""
import sys
from kexport.cli.cmd_build import COMMAND
assert COMMAND.main({list(BUILD[1:])!r}, standalone_mode=False) == 0
print(sorted({{"tensorflow", "keras", "onnx", "onnxruntime"}} & sys.modules.keys()))
"""
    ran = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    assert KEPT in ran.stdout
    assert "--fresh" in ran.stdout
    assert ran.stdout.rstrip().endswith("[]")
    assert ran.stderr == "reading the request\n"
    assert written(bundle) == before


def test_reports_are_written_all_the_same(folder: Path, kexport: Any) -> None:
    result = kexport(*BUILD, "--json", "--junit", "j.xml", cwd=folder)
    assert json.loads(result.stdout)["passed"]
    assert "<testsuite" in (folder / "j.xml").read_text()


@pytest.mark.parametrize("what", ["a setting", "a damaged artifact", "a missing report", "--fresh"])
def test_what_has_changed_is_built(what: str, folder: Path, kexport: Any) -> None:
    words = list(BUILD)
    bundle = folder / "artifacts" / "lowpass"
    if what == "a setting":
        words += ["--set", "kernel_size=3"]
    elif what == "a damaged artifact":
        (bundle / "model.onnx").write_bytes((bundle / "model.onnx").read_bytes()[:-1])
    elif what == "a missing report":
        (bundle / "report.json").unlink()
    else:
        words.append("--fresh")
    result = kexport(*words, cwd=folder)
    assert result.returncode == 0, result.stderr
    assert "built artifacts/lowpass" in result.stdout
    assert KEPT in kexport(*(words if what != "--fresh" else BUILD), cwd=folder).stdout


LOWPASS = BuildRequest("lowpass", "out")
SAID = LOWPASS.declarations


def known(request: BuildRequest) -> str:
    return fingerprint(request.plan())


@pytest.fixture
def narrow(tmp_path: Path) -> Path:
    """A `.keras` file of `x / 2`, and 1 more in a place that random inputs do not find."""
    import keras

    centre, slope = 0.3515625, 2.0**18
    x = keras.Input((1,), name="x")
    hidden, y = keras.layers.Dense(5, activation="relu"), keras.layers.Dense(1, name="y")
    model = keras.Model(x, y(hidden(x)))
    edges = [-slope * centre + 1, -slope * centre, -slope * centre - 1, 0, 0]
    hidden.set_weights([np.array([[slope, slope, slope, 1, -1]], "float32"), np.array(edges, "float32")])
    y.set_weights([np.array([[1], [-2], [1], [0.5], [-0.5]], "float32"), np.zeros(1, "float32")])
    model.save(tmp_path / "narrow.keras")
    return tmp_path / "narrow.keras"


def test_an_input_that_breaks_a_promise_since_the_build_is_tried_again(narrow: Path, kexport: Any) -> None:
    folder = narrow.parent
    build = ["build", narrow.name, "--formats", "onnx", "--contract", "bounded(-0.6,0.6)", "--out", "out"]
    build += ["--domain", "x=uniform(-1,1)"]
    assert kexport(*build, cwd=folder).returncode == 0
    assert KEPT in kexport(*build, cwd=folder).stdout
    (promise,) = Bundle.open(folder / "out").manifest.contracts
    counterexamples.store(folder / "out", promise, {"x": np.array([[0.3515625]], "float32")})
    for _ in range(2):  # the second time, a bundle lies beside it that was rejected
        again = kexport(*build, cwd=folder)
        assert again.returncode == 1
        assert KEPT not in again.stdout


def test_another_artifact_of_the_right_digest_is_noticed_and_told_how_to_replace(folder: Path, kexport: Any) -> None:
    bundle, other = folder / "artifacts" / "lowpass", REFERENCE / "scaled" / "model.onnx"
    shutil.copyfile(other, bundle / "model.onnx")
    manifest = json.loads((bundle / "manifest.json").read_text())
    (entry,) = manifest["artifacts"]
    entry["sha256"], entry["bytes"] = digest(bundle / "model.onnx"), other.stat().st_size
    (bundle / "manifest.json").write_text(json.dumps(manifest))
    rejected = kexport(*BUILD, cwd=folder)
    assert rejected.returncode == 1
    assert KEPT not in rejected.stdout
    assert "--fresh converts anew" in rejected.stdout
    assert kexport(*BUILD, "--fresh", cwd=folder).returncode == 0


def test_every_setting_counts(tmp_path: Path) -> None:
    samples = tmp_path / "x.npy"
    np.save(samples, np.zeros((4, 8), "float32"))
    requests = [
        LOWPASS,
        replace(LOWPASS, settings={"kernel_size": "3"}),
        replace(LOWPASS, declarations=replace(SAID, domain={"signal": "uniform(-1, 1)"})),
        replace(LOWPASS, declarations=replace(SAID, contracts=("bounded(-9, 9)",))),
        replace(LOWPASS, declarations=replace(SAID, unseen={"low_pass_filter": "why"})),
        replace(LOWPASS, declarations=replace(SAID, samples=str(samples))),
        replace(LOWPASS, conversion=Conversion(formats=("onnx",))),
        replace(LOWPASS, conversion=Conversion(opset=18)),
        replace(LOWPASS, trust=Trust(max_bytes=1 << 40)),
        replace(LOWPASS, strictness=Strictness.of(None, {"filtered": "1e-3: sensor"})),
        BuildRequest("scaled", "out"),
    ]
    found = [known(request) for request in requests]
    assert all(found)
    assert len(set(found)) == len(found)
    np.save(samples, np.ones((4, 8), "float32"))
    assert known(requests[5]) != found[5]
    assert known(replace(LOWPASS, out="elsewhere")) == found[0]


def test_the_content_of_a_model_file_counts_and_its_folder_does_not(tmp_path: Path) -> None:
    reference = Path(__file__).parents[2] / "artifacts" / "reference" / "scaled"
    file, copy = tmp_path / "a" / "m.keras", tmp_path / "b" / "m.keras"
    for path in (file, copy):
        path.parent.mkdir()
        shutil.copy(reference / "model.keras", path)
    assert known(BuildRequest(str(file))) == known(BuildRequest(str(copy))) != ""
    saved = known(BuildRequest(str(reference / "saved_model")))
    assert saved not in ("", known(BuildRequest(str(file))))
    with copy.open("ab") as end:
        end.write(b" ")
    assert known(BuildRequest(str(file))) != known(BuildRequest(str(copy)))


def test_a_saved_model_with_links_has_no_digest_and_is_always_built(tmp_path: Path) -> None:
    shutil.copytree(REFERENCE / "scaled" / "saved_model", tmp_path / "sm")
    (tmp_path / "sm" / "variables").rename(tmp_path / "sm" / "v")
    (tmp_path / "sm" / "variables").symlink_to("v")
    assert known(BuildRequest(str(tmp_path / "sm"))) == ""


def test_a_file_that_names_layers_of_others_is_always_built(tmp_path: Path) -> None:
    """What an installed package offers needs no import, and its code may change."""
    with zipfile.ZipFile(REFERENCE / "scaled" / "model.keras") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    ours = members["config.json"]
    for module, name, ending in (
        ("mylayers.gain", "mylayers>Gain", ""), ("kexport_layers.scaled_output", "kexport>ScaledOutput", "known")
    ):  # fmt: skip
        changed = ours.replace(b"kexport_layers.scaled_output", module.encode()).replace(
            b"kexport>ScaledOutput", name.encode()
        )
        with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
            for member, content in (members | {"config.json": changed}).items():
                archive.writestr(member, content)
        assert bool(known(BuildRequest(str(tmp_path / "m.keras")))) == bool(ending)


def test_the_settings_of_keras_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    before = known(LOWPASS)
    (tmp_path / "keras.json").write_text('{"floatx": "float32", "backend": "tensorflow"}')
    assert known(LOWPASS) == before
    (tmp_path / "keras.json").write_text('{"floatx": "float64"}')
    assert known(LOWPASS) != before


def test_what_only_running_code_tells_is_always_built(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text("def net(): ...\n")
    (tmp_path / "layers.py").write_text("")
    requests = [
        BuildRequest(f"{tmp_path / 'model.py'}:net"),
        replace(LOWPASS, trust=Trust((str(tmp_path / "layers.py"),))),
        replace(LOWPASS, trust=Trust(allow_lambda=True)),
        replace(LOWPASS, strictness=Strictness.of("5", None)),
        replace(LOWPASS, declarations=Declarations(domain={"signal": (-1, 1)})),
    ]
    assert [known(request) for request in requests] == [""] * len(requests)


def test_our_own_code_counts(tmp_path: Path) -> None:
    """In a copy of it, of which one line is changed."""
    import kexport as package

    copy = tmp_path / "kexport"
    shutil.copytree(Path(package.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-c", "from kexport.factory.fingerprint import own_code; print(own_code())"]

    def digest() -> str:
        environment = {"PYTHONPATH": str(tmp_path), "PATH": ""}
        return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout.strip()

    assert digest() == own_code()
    with (copy / "parity" / "tolerance.py").open("a") as file:
        file.write("# another\n")
    assert digest() != own_code()
