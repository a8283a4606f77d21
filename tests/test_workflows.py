"""The workflows, run here as GitHub's shell would: the one that people copy turns red when it should."""

import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import REFERENCE, ROOT

WORKFLOWS = ROOT / ".github" / "workflows"


def jobs(workflow: str) -> dict[str, Any]:
    return yaml.safe_load((WORKFLOWS / f"{workflow}.yml").read_text())["jobs"]


def step(workflow: str, name: str) -> str:
    """The shell code of the step of that name, whichever job it belongs to."""
    (code,) = [each["run"] for job in jobs(workflow).values() for each in job["steps"] if each.get("name") == name]
    return code


@pytest.fixture
def checkout(tmp_path):
    """A checkout with the reference bundles, and an environment with the device half alone."""
    shutil.copytree(REFERENCE, tmp_path / "artifacts" / "reference")
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(
        "import importlib.util as u\nfind = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name in ('tensorflow', 'keras') else find(name, *rest)\n"
    )
    return tmp_path


def verify(checkout: Path) -> subprocess.CompletedProcess[str]:
    """The step, by `bash -e` of a file, as the runner does; with the variables that it sets."""
    script = checkout / "site" / "script.sh"
    script.write_text(step("parity", "Verify"))
    environment = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(checkout / "site"),
        "GITHUB_WORKSPACE": str(checkout),
        "GITHUB_STEP_SUMMARY": str(checkout / "site" / "summary.md"),
        "PYTHONDONTWRITEBYTECODE": "1",  # the sources are those of this checkout
    }
    command = ["bash", "-e", str(script)]
    return subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, timeout=120)


def junit(checkout: Path) -> dict[str, ElementTree.Element]:
    return {path.stem: ElementTree.parse(path).getroot() for path in (checkout / "parity").glob("*.xml")}


def test_the_step_that_people_copy_is_green_on_our_own_bundles(checkout):
    result = verify(checkout)
    assert result.returncode == 0, result.stdout + result.stderr
    names = {path.name for path in REFERENCE.iterdir()}
    reports = junit(checkout)
    assert set(reports) == names
    for root in reports.values():
        assert (root.get("failures"), root.get("errors")) == ("0", "0")
        assert {case.get("classname").rpartition(".")[2] for case in root.iter("testcase")} >= {"litert", "onnxruntime"}
    assert result.stdout.count("::notice ") == len(names)
    assert (checkout / "site" / "summary.md").read_text().count("### ✅") == len(names)


def flip_a_byte(bundle: Path) -> None:
    content = bytearray((bundle / "model.onnx").read_bytes())
    content[-9] ^= 1
    (bundle / "model.onnx").write_bytes(bytes(content))


def remove_an_artifact_and_all_that_is_said_of_it(bundle: Path) -> None:
    (bundle / "model.tflite").unlink()
    path = bundle / "manifest.json"
    content = json.loads(path.read_text())
    content["artifacts"] = [each for each in content["artifacts"] if each["format"] != "tflite"]
    path.write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("harm", "word"),
    [
        (flip_a_byte, "::error"),
        (remove_an_artifact_and_all_that_is_said_of_it, "::warning"),
        (lambda bundle: (bundle / "manifest.json").unlink(), "::error"),
    ],
    ids=["damaged", "no TFLite", "no manifest"],
)
def test_one_bad_bundle_turns_the_step_red_and_the_others_are_verified_all_the_same(checkout, harm, word):
    harm(checkout / "artifacts" / "reference" / "lowpass")
    result = verify(checkout)
    assert result.returncode != 0, result.stdout
    assert any(line.startswith(word) for line in result.stdout.splitlines()), result.stdout
    others = {path.name for path in REFERENCE.iterdir()} - {"lowpass"}
    assert others <= set(junit(checkout))
    assert result.stdout.count("checks passed") == len(others) * len(("terminal", "notice"))


def test_a_checkout_without_bundles_is_red(checkout):
    shutil.rmtree(checkout / "artifacts")
    result = verify(checkout)
    assert result.returncode == 2
    assert "no such folder" in result.stdout


def test_what_the_workflows_install_and_run_is_there():
    assert "'.[onnx,litert]'" in step("parity", "Install")
    for part in ("onnx =", "litert ="):
        assert part in (ROOT / "setup.cfg").read_text()
    assert (ROOT / re.search(r"-c (\S+)", step("parity", "Install"))[1]).is_file()
    run = ROOT / step("ci", "Test")
    assert os.access(run, os.X_OK)


def test_every_python_that_the_package_states_is_tested():
    stated = re.findall(r"Programming Language :: Python :: (3\.\d+)", (ROOT / "setup.cfg").read_text())
    assert jobs("ci")["test"]["strategy"]["matrix"]["python"] == stated


def test_the_weekly_run_leaves_the_tested_versions_out():
    assert jobs("newest")["test"]["env"] == {"KEXPORT_NEWEST": "1"}
    assert 'os.environ.get("KEXPORT_NEWEST"' in (ROOT / "scripts" / "with_env.py").read_text()


@pytest.mark.parametrize("workflow", sorted(path.stem for path in WORKFLOWS.glob("*.yml")))
def test_every_script_that_a_workflow_runs_is_there(workflow):
    for job in jobs(workflow).values():
        for code in [each["run"] for each in job["steps"] if "run" in each]:
            for path in re.findall(r"(?:scripts|\.ci)/[\w.]+", code):
                assert (ROOT / path).is_file(), path
