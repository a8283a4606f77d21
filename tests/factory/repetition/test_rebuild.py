"""`kexport build --check` compares every byte with another build, tells what differs, and changes nothing."""

import json
import shutil

import pytest

from conftest import run_kexport
from kexport.cli.cmd_build import COMMAND


@pytest.fixture(scope="module")
def scaled(tmp_path_factory):
    """A bundle, built in a process of its own with other settings than those of these tests."""
    folder = tmp_path_factory.mktemp("scaled")
    options = {"PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "LC_ALL": "C", "HOME": str(folder)}
    done = run_kexport("build", "--model", "scaled", "--out", "bundle", cwd=folder, env=_environment(options))
    assert done.returncode == 0, done.stderr
    return folder / "bundle"


def _environment(changed):
    import os

    return {**os.environ, **changed}


def check(bundle, *options):
    return COMMAND.main(["--model", "scaled", "--out", str(bundle), "--check", *options], standalone_mode=False)


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_another_build_writes_the_same_bytes(scaled, capsys):
    before = contents(scaled.parent)
    assert check(scaled) == 0
    assert f"all {len(contents(scaled))} files have the bytes that are built now" in capsys.readouterr().out
    assert contents(scaled.parent) == before


def test_what_differs_is_told_by_file_and_field_with_the_versions_that_differ(scaled, tmp_path, capsys):
    bundle = shutil.copytree(scaled, tmp_path / "bundle")
    manifest = json.loads((bundle / "manifest.json").read_text())
    manifest["provenance"]["keras"] = "3.0.0"
    (bundle / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
    (bundle / "notes.txt").write_text("a file of somebody's own")
    (bundle / "model.sig").write_text("a signature, which is no difference")
    before = contents(tmp_path)
    assert check(bundle) == 1
    told = capsys.readouterr().out
    assert "provenance.keras: " in told
    assert "instead of '3.0.0'" in told
    assert "another build does not write this file" in told
    assert "probable cause: other versions" in told
    assert "in 2 of " in told
    assert contents(tmp_path) == before


def test_without_a_bundle_there_is_nothing_to_compare_with(tmp_path):
    from kexport.errors import BundleError

    with pytest.raises(BundleError, match="no such folder"):
        check(tmp_path / "nothing")
    assert not list(tmp_path.iterdir())
