"""Runs an example the way a person does, and reads what it says and leaves."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

from conftest import ROOT
from kexport.bundle.folder import Bundle

RUNTIMES = {"keras", "saved_model", "onnxruntime", "litert", "litert_reference"}


def run(script, folder, *options):
    """Exit code, standard output, and the report of the bundle that it built."""
    command = [sys.executable, str(ROOT / "scripts" / script), "--out", str(folder / "bundle"), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env={**os.environ})
    built = [path for path in (folder / "bundle", Path(f"{folder / 'bundle'}.rejected")) if path.exists()]
    assert len(built) == 1, done.stdout + done.stderr
    return SimpleNamespace(
        code=done.returncode, text=done.stdout, errors=done.stderr, checks=Bundle.open(built[0]).report.checks
    )


def kept(done):
    """The kinds of contract that hold, in every runtime, where nothing failed."""
    assert done.code == 0, done.text + done.errors
    promises = [check for check in done.checks if check.kind == "contract" and check.runtime]
    for contract in {check.contract for check in promises}:
        assert {check.runtime for check in promises if check.contract == contract} == RUNTIMES
    return {check.contract.partition("(")[0] for check in promises}


def broken(done, layer):
    """The kinds of contract that are broken in a runtime, while parity sees nothing."""
    assert done.code == 1, done.text + done.errors
    assert all(check.passed for check in done.checks if check.kind != "contract")
    failed = [check for check in done.checks if not check.passed]
    for check in failed:
        assert f"{check.artifact} {check.runtime}" in done.text
        assert layer in check.detail
        assert "the input is in witnesses/" in check.detail
    kinds = {check.contract.partition("(")[0] for check in failed}
    tried = {check.runtime for check in done.checks if check.runtime}
    for kind in kinds:
        assert {check.runtime for check in failed if check.contract.startswith(kind)} == tried
    return kinds
