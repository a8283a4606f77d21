"""`kexport verify` as a CI calls it: what is required, what is never green, and where its report goes."""

import hashlib
import json
import os
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

from conftest import REFERENCE
from kexport.bundle import manifest

LIGHT = ("--runtime", "onnxruntime")


def edited(bundle: Path, change) -> Path:
    """The bundle with its manifest changed."""
    path = bundle / manifest.FILE_NAME
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    return bundle


def without(*formats):
    def change(content):
        content["artifacts"] = [entry for entry in content["artifacts"] if entry["format"] not in formats]

    return change


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


@pytest.fixture
def hidden(tmp_path):
    """`hidden(*packages)`: an environment in which these packages are not installed."""

    def hide(*packages):
        (tmp_path / "hide").mkdir(exist_ok=True)
        (tmp_path / "hide" / "sitecustomize.py").write_text(
            "import importlib.util as u\nfind = u.find_spec\n"
            f"u.find_spec = lambda name, *rest: None if name in {packages!r} else find(name, *rest)\n"
        )
        return {**os.environ, "PYTHONPATH": str(tmp_path / "hide")}

    return hide


def runtimes_of(result):
    return {check["runtime"] for check in json.loads(result.stdout)["checks"] if check["kind"] == "parity"}


def test_required_runtimes_run_beside_those_asked_for(kexport):
    result = kexport("verify", REFERENCE / "lowpass", *LIGHT, "--require", "litert", "--json")
    assert result.returncode == 0, result.stdout
    assert runtimes_of(result) == {"onnxruntime", "litert"}


@pytest.mark.parametrize("asked", [(), LIGHT], ids=["all that are here", "named ones"])
def test_a_required_runtime_that_is_not_installed_is_an_unmade_check(kexport, hidden, asked):
    environment = hidden("ai_edge_litert", "tensorflow", "keras")
    result = kexport("verify", REFERENCE / "lowpass", *asked, "--require", "litert,onnxruntime", env=environment)
    assert result.returncode == 3, result.stdout + result.stderr
    assert "not checked runtime litert" in result.stdout
    assert "pip install 'kexport[litert]'" in result.stdout
    assert "litert was left out" not in result.stdout, "said twice"
    green = kexport("verify", REFERENCE / "lowpass", *asked, "--require", "onnxruntime", env=environment)
    assert green.returncode == 0, green.stdout + green.stderr


def test_a_required_runtime_that_the_bundle_has_no_artifact_for_is_an_unmade_check(kexport, hidden, reference):
    edited(reference, without("tflite"))
    environment = hidden("tensorflow", "keras")
    result = kexport("verify", reference, "--require", "litert,onnxruntime", "--json", env=environment)
    assert result.returncode == 3, result.stdout
    (unmade,) = (check for check in json.loads(result.stdout)["checks"] if not check["ran"])
    assert unmade["runtime"] == "litert"
    assert "holds no tflite artifact" in unmade["detail"]
    assert runtimes_of(result) == {"onnxruntime"}


def test_a_failure_goes_before_a_missing_runtime(kexport, reference):
    edited(reference, without("tflite"))
    damage(reference / "model.onnx")
    assert kexport("verify", reference, *LIGHT, "--require", "litert").returncode == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [("lite", "did you mean litert?"), ("litert,onx", "unknown runtime 'onx'"), ("", "names no runtime"),
     (" , ", "names no runtime")],
)  # fmt: skip
def test_an_unreadable_requirement_is_refused(kexport, text, words):
    result = kexport("verify", REFERENCE / "lowpass", "--require", text, "--github")
    assert result.returncode == 2
    assert words in result.stderr
    assert result.stdout.startswith("::error title=kexport::"), "a red step says why"


def no_goldens(content):
    content["goldens"]["cases"] = []


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content.update(artifacts=[]),
        lambda content: content["goldens"].update(limits=[]),
        lambda content: content["signature"].update(outputs=[]),
        no_goldens,
    ],
    ids=["no artifact", "no limit", "no output", "no golden"],
)
@pytest.mark.parametrize("asked", [(), LIGHT, ("--require", "onnxruntime")], ids=["all", "runtime", "require"])
def test_a_bundle_in_which_nothing_can_be_compared_is_never_green(kexport, hidden, reference, change, asked):
    def consistent(content):
        change(content)
        if not content["goldens"]["cases"]:
            np.savez(reference / "goldens.npz")
            content["goldens"]["sha256"] = hashlib.sha256((reference / "goldens.npz").read_bytes()).hexdigest()

    edited(reference, consistent)
    arguments = ("--github", "--junit", "junit.xml", *asked)
    result = kexport("verify", reference, *arguments, env=hidden("tensorflow", "keras"))
    assert result.returncode != 0, result.stdout
    assert "Traceback" not in result.stderr, result.stderr
    assert "checks passed" not in result.stdout
    assert "::error" in result.stdout or "::warning" in result.stdout
    junit = reference.parent / "junit.xml"
    if junit.exists():
        suite = ElementTree.parse(junit).getroot()
        assert list(suite.iter("error")) or list(suite.iter("failure"))


def test_github_gets_annotations_and_a_table(kexport, reference, monkeypatch, tmp_path):
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    green = kexport("verify", reference, *LIGHT, "--github")
    assert green.returncode == 0, green.stderr
    assert green.stdout.splitlines()[-1] == "::notice title=kexport%3A lowpass::lowpass: 7 checks passed"
    damage(reference / "model.onnx")
    red = kexport("verify", reference, *LIGHT, "--require", "litert", "--github")
    assert red.returncode == 1
    (line,) = (line for line in red.stdout.splitlines() if line.startswith("::error"))
    assert ",file=lowpass/model.onnx::" in line, "relative to the repository"
    text = summary.read_text()
    assert text.startswith("before\n### ✅ lowpass: 7 checks passed\n")
    assert "### ❌ lowpass" in text
    assert "::" not in kexport("verify", reference, *LIGHT).stdout, "on request alone"


def test_json_on_standard_output_stays_json_beside_annotations(kexport):
    result = kexport("verify", REFERENCE / "lowpass", *LIGHT, "--github", "--json")
    assert json.loads(result.stdout)["passed"] is True
    assert "\n::notice" in result.stderr


def test_a_report_that_cannot_be_written_is_told_before_the_work(kexport, tmp_path):
    (tmp_path / "file").write_text("")
    for target, words in ((".", "Is a directory"), ("none/x.xml", "No such file"), ("file/x.xml", "Not a directory"),
                          ("", "cannot be written")):  # fmt: skip
        result = kexport("verify", REFERENCE / "lowpass", *LIGHT, "--junit", target, "--github")
        assert result.returncode == 2, target
        assert words in result.stderr
        assert "Traceback" not in result.stderr
        assert "pass" not in result.stdout, "nothing ran"


def test_a_summary_that_cannot_be_written_is_told(kexport, tmp_path, monkeypatch):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    result = kexport("verify", REFERENCE / "lowpass", *LIGHT, "--github")
    assert result.returncode == 2
    assert "cannot be written" in result.stderr


def test_an_old_report_is_not_taken_for_the_one_of_a_run_that_came_to_none(kexport, tmp_path):
    (tmp_path / "junit.xml").write_text("<testsuites/>")
    result = kexport("verify", "no-such-bundle", "--junit", "junit.xml", "--github")
    assert result.returncode == 2
    assert "no such folder" in result.stderr
    assert "no such folder" in result.stdout
    assert not (tmp_path / "junit.xml").exists()


def test_build_annotates_too(kexport, tmp_path):
    result = kexport("build", "--model", "none", "--github", "--junit", "junit.xml")
    assert result.returncode == 2
    assert result.stdout.startswith("::error title=kexport::unknown model 'none'")
    built = kexport("build", "--model", "scaled", "--formats", "onnx", "--github", "--junit", "junit.xml")
    assert built.returncode == 0, built.stderr
    assert built.stdout.splitlines()[-1].startswith("::notice title=kexport%3A scaled::")
    assert ElementTree.parse(tmp_path / "junit.xml").getroot().get("failures") == "0"
