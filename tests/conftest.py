"""What the tests share: the command line as a user types it, and one built bundle."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "artifacts" / "reference"

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

Kexport = Callable[..., subprocess.CompletedProcess[str]]


def run_kexport(*args: object, cwd: Path, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "kexport", *map(str, args)]
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL, **options
    )


@pytest.fixture
def kexport(tmp_path: Path) -> Kexport:
    """The command line, in an empty folder."""
    return lambda *args, **options: run_kexport(*args, cwd=options.pop("cwd", tmp_path), **options)


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    """A copy of the reference bundle `lowpass` that a test may damage."""
    return Path(shutil.copytree(REFERENCE / "lowpass", tmp_path / "lowpass"))


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """`kexport build --model lowpass`, as typed: the folder it ran in, and what it said."""
    folder = tmp_path_factory.mktemp("built")
    return folder, run_kexport("build", "--model", "lowpass", cwd=folder)
