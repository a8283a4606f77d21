"""Promises on the command line: pictures, kinds of a user's own, and what a bundle says that it promises."""

import json
import os
import shutil

import pytest

from conftest import REFERENCE, run_kexport
from kexport.bundle import manifest

LIGHT = ("--runtime", "onnxruntime")
OWN_KIND = '''
"""Every element is below a level."""
from dataclasses import dataclass
from typing import ClassVar

from kexport.contracts import Measured, hunt, register


@register
@dataclass(frozen=True)
class Below:
    level: float
    kind: ClassVar[str] = "below"

    def words(self):
        return f"is below {self.level:g}"

    def check(self, function, domain, tolerance, effort):
        def measure(population):
            values = function(population)
            excess = values.reshape(len(values), -1).max(axis=1) - self.level
            return Measured(excess, tolerance.of(function.outputs[0], values))

        return hunt(measure, domain, tolerance.epsilon, effort, unit="above the level")
'''


@pytest.fixture(scope="module")
def low_pass(tmp_path_factory):
    """A bundle whose filter promises that it is a low-pass."""
    folder = tmp_path_factory.mktemp("promising")
    size = [word for setting in ("kernel_size=31", "cutoff=40", "sample_rate=360") for word in ("--set", setting)]
    done = run_kexport("build", "--model", "lowpass", *size, "--formats", "onnx,tflite", "--out", "lp", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "lp"


def promising(folder, *promises, **entries):
    """A copy of the bundle `scaled` that promises these."""
    path = folder / "scaled"
    shutil.copytree(REFERENCE / "scaled", path)
    content = json.loads((path / manifest.FILE_NAME).read_text())
    about = {"inputs": ["features"], "outputs": ["scaled_features"]}
    content |= {"contracts": [{**about, **promised} for promised in promises], **entries}
    (path / manifest.FILE_NAME).write_text(json.dumps(content))
    return path


def test_the_response_of_a_low_pass_is_drawn(kexport, low_pass, tmp_path):
    pytest.importorskip("matplotlib")
    result = kexport("verify", low_pass, *LIGHT, "--plots", "pictures")
    assert result.returncode == 0, result.stdout + result.stderr
    picture = tmp_path / "pictures" / "lowpass-filtered.png"
    assert f"plotted {os.path.relpath(picture, tmp_path)}" in result.stdout
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_where_no_low_pass_was_measured_the_command_says_that_nothing_is_drawn(kexport, tmp_path):
    pytest.importorskip("matplotlib")
    result = kexport("verify", promising(tmp_path, {"kind": "finite", "params": {}}), *LIGHT, "--plots", "pictures")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "nothing to plot: no low-pass promise was measured" in result.stdout


def test_a_folder_that_cannot_be_written_is_refused_before_the_work(kexport, low_pass, tmp_path):
    pytest.importorskip("matplotlib")
    (tmp_path / "file").write_text("")
    result = kexport("verify", low_pass, *LIGHT, "--plots", "file/pictures")
    assert result.returncode == 2
    assert "cannot be written" in result.stderr
    assert not result.stdout


def test_pictures_without_matplotlib_are_refused_before_the_work(kexport, low_pass, tmp_path):
    (tmp_path / "hide").mkdir()
    (tmp_path / "hide" / "sitecustomize.py").write_text(
        "import importlib.util as u\nfind = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name == 'matplotlib' else find(name, *rest)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "hide")}
    result = kexport("verify", low_pass, *LIGHT, "--plots", "pictures", env=environment)
    assert result.returncode != 0
    assert "pip install 'kexport[plots]'" in result.stderr
    assert not result.stdout


def test_a_kind_that_is_not_known_is_not_checked_until_its_file_is_imported(kexport, tmp_path):
    code = {"name": "below", "kind": "contract", "file": "mine.py", "sha256": "0" * 64, "digest_of": "file"}
    path = promising(tmp_path, {"kind": "below", "params": {"level": 1000}}, code=[code])
    without = kexport("verify", path, *LIGHT)
    assert without.returncode == 3, without.stdout + without.stderr
    assert "not checked contract" in without.stdout
    assert "below" in without.stdout
    assert "it needs below from mine.py: give it with --import mine.py" in without.stdout
    (tmp_path / "mine.py").write_text(OWN_KIND)
    known = kexport("verify", path, *LIGHT, "--import", "mine.py")
    assert known.returncode == 0, known.stdout + known.stderr
    assert "below(level=1000)" in known.stdout
    assert "note: the code in mine.py is not what the bundle was built with: below" in known.stdout


def test_a_kind_of_a_users_own_is_found_broken(kexport, tmp_path):
    (tmp_path / "mine.py").write_text(OWN_KIND)
    path = promising(tmp_path, {"kind": "below", "params": {"level": 1}, "layer": "mine"})
    result = kexport("verify", path, *LIGHT, "--import", "mine.py")
    assert result.returncode == 1, result.stdout + result.stderr
    assert "layer mine promised that it is below 1" in result.stdout


def test_a_kind_of_an_installed_package_needs_no_import(kexport, tmp_path):
    (tmp_path / "site" / "mine-1.0.dist-info").mkdir(parents=True)
    (tmp_path / "site" / "mine.py").write_text(OWN_KIND)
    (tmp_path / "site" / "mine-1.0.dist-info" / "METADATA").write_text("Name: mine\nVersion: 1.0\n")
    offer = "[kexport.contracts]\nbelow = mine:Below\n"
    (tmp_path / "site" / "mine-1.0.dist-info" / "entry_points.txt").write_text(offer)
    path = promising(tmp_path, {"kind": "below", "params": {"level": 1000}})
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    result = kexport("verify", path, *LIGHT, env=environment)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "below(level=1000)" in result.stdout
    listed = kexport("list", "contracts", env=environment).stdout
    assert "Every element is below a level." in listed


def test_a_search_that_was_asked_for_hunts_longer_for_promises(kexport, tmp_path):
    path = promising(tmp_path, {"kind": "finite", "params": {}}, {"kind": "linear", "params": {}})
    result = kexport("verify", path, *LIGHT, "--search", "4s", "--json")
    assert result.returncode == 0, result.stdout + result.stderr
    checks = [check for check in json.loads(result.stdout)["checks"] if check["kind"] == "contract"]
    assert len(checks) == 2
    for check in checks:  # 4 s are 2 s each, in place of 1 s or 200,000 samples
        assert check["metrics"]["tried"] > 200_000 or "in 2 s" in check["detail"], check["detail"]


def test_every_kind_of_contract_is_listed(kexport):
    from kexport.contracts import kinds

    result = kexport("list", "contracts")
    assert result.returncode == 0, result.stderr
    assert set(kinds.names()) <= {line.split()[0] for line in result.stdout.splitlines() if line.strip()}


def test_what_is_promised_and_what_is_not_kept_is_shown(kexport, tmp_path):
    lost = {"kind": "scaled", "params": {"factor": 2.0}, "layer": "a", "ended_by": "b", "why": "no rule is known"}
    promises = ({"kind": "bounded", "params": {"low": 0, "high": 1}, "layer": "y"}, {"kind": "strange", "params": {}})
    result = kexport("inspect", promising(tmp_path, *promises, not_carried=[lost]))
    assert result.returncode == 0, result.stderr
    assert "lies between 0 and 1, from features (layer y)" in result.stdout
    assert "strange {}, a kind that is not registered here" in result.stdout
    section = result.stdout.partition("promises of layers that do not carry over to the model")[2]
    assert "no rule is known" in section
