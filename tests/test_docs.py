"""The pages of docs/ are true: their examples run as a reader would run them, and what they name is there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import REFERENCE, ROOT

TEXT = (ROOT / "docs" / "ci.md").read_text()
CONTRACTS = (ROOT / "docs" / "contracts.md").read_text()


def blocks(language: str, text: str = TEXT) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the reference bundles, and each example in Python as a file of tests."""
    (tmp_path / "artifacts").mkdir()
    (tmp_path / "artifacts" / "reference").symlink_to(REFERENCE)
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -W error --strict-markers -p no:cacheprovider\n")
    for number, code in enumerate(blocks("python")):
        (tmp_path / f"test_{number}.py").write_text(code)
    return tmp_path


@pytest.mark.parametrize("code", blocks("sh"), ids=lambda code: code.split()[0])
def test_an_example_of_the_page_on_ci_runs(checkout, code):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    result = subprocess.run(
        ["bash", "-e", "-c", code], cwd=checkout, env={**os.environ, "PATH": path}, capture_output=True, text=True,
        timeout=120,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    if code.startswith("pytest"):
        tests = sum(block.count("def test_") for block in blocks("python"))
        assert f"{tests + 1} passed" in result.stdout, "one of them is run for two bundles"


def test_what_the_page_on_ci_says_of_options_is_what_there_is(kexport):
    told = kexport("verify", "--help").stdout
    for option in re.findall(r"^\| `(--[a-z]+)", TEXT, re.MULTILINE):
        assert option in told


def test_the_examples_of_the_page_on_promises_run(tmp_path):
    for code in blocks("python", CONTRACTS):
        (tmp_path / code.partition("\n")[0].removeprefix("# ")).write_text(code)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    code = "".join(blocks("sh", CONTRACTS))
    result = subprocess.run(
        ["bash", "-e", "-c", code], cwd=tmp_path, env={**os.environ, "PATH": path}, capture_output=True, text=True,
        timeout=240,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    for promised in ("bounded(low=0, high=1)", "finite()", "lipschitz(constant=10)", "below(level=2)"):
        assert promised in result.stdout


def test_the_table_of_kinds_is_what_there_is():
    from kexport import registry
    from kexport.contracts import kinds

    rows = re.findall(r"^\| `(\w+)` \| (?:`(.*?)`)? ?\| (.*) \|$", CONTRACTS, re.MULTILINE)
    there = [(kind, ", ".join(kinds.parameters(kind)), kinds.summary(kind)) for kind in registry.names(kinds.FOLDER)]
    assert rows == there


def test_the_layers_that_the_page_on_promises_names_are_those_that_state_some():
    import kexport_layers

    folder = Path(kexport_layers.__file__).parent
    text = "\n".join(path.read_text() for path in sorted(folder.glob("*.py")) if "def contracts" in path.read_text())
    told = CONTRACTS.partition("In `kexport_layers`, these state")[2].partition("##")[0]
    assert set(re.findall(r"`(\w+)`", told)) == set(re.findall(r"^class ([A-Z]\w+)\(", text, re.MULTILINE))


@pytest.mark.parametrize("page", ["README.md", "docs/CONTRIBUTING.md"])
def test_every_path_that_a_page_names_is_there(page):
    text = (ROOT / page).read_text()
    paths = re.findall(r"`((?:exporter|layers|scripts|tests|docs|\.ci)/[\w./]+)", text)
    assert paths
    named = [path for path in paths if not re.search("NAME|KIND|OPERATION|\\*", path)]
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_rooms_of_the_contributors_page_are_all_there_are():
    text = (ROOT / "docs" / "CONTRIBUTING.md").read_text().partition("## The rooms")[2].partition("## The nouns")[0]
    named = set(re.findall(r"`(\w+)/`", text))
    rooms = {path.name for path in (ROOT / "exporter" / "kexport").iterdir() if (path / "__init__.py").exists()}
    factory = {path.name for path in (ROOT / "exporter/kexport/factory").iterdir() if (path / "__init__.py").exists()}
    assert rooms | factory <= named
