"""What is shipped: the exact contents of the wheel, and its use on a device that has nothing else."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from conftest import REFERENCE, ROOT

SUFFIXES = (".py", ".html", ".css")
SHIPPED = ("exporter", "layers", "docs/LICENSE", "setup.cfg", "pyproject.toml", "README.md")


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("dist")
    for name in SHIPPED:
        (source / name).parent.mkdir(exist_ok=True)
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    command = [sys.executable, "-m", "build", "--wheel", "--outdir", str(out), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(out.glob("*.whl"))


def test_the_wheel_holds_our_sources_and_nothing_else(wheel):
    expected = set()
    for root in (ROOT / "exporter", ROOT / "layers"):
        files = [path for path in root.rglob("*") if path.suffix in SUFFIXES or path.name == "py.typed"]
        expected |= {path.relative_to(root).as_posix() for path in files}
    with zipfile.ZipFile(wheel) as archive:
        found = {name for name in archive.namelist() if ".dist-info/" not in name}
        info = {name.split(".dist-info/")[1] for name in archive.namelist() if ".dist-info/" in name}
    assert found == expected
    assert info == {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "top_level.txt", "licenses/docs/LICENSE"}


def test_a_device_with_litert_alone_loads_and_verifies(wheel, tmp_path):
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True, timeout=120)
    python = tmp_path / "venv" / "bin" / "python"
    constraints = ROOT / "scripts" / "constraints.txt"
    pip = [str(python), "-m", "pip", "--disable-pip-version-check"]
    install = subprocess.run(
        [*pip, "install", "-q", "-c", str(constraints), f"{wheel}[litert]"], capture_output=True, text=True, timeout=300
    )
    assert install.returncode == 0, install.stderr
    listed = subprocess.run([*pip, "list", "--format=freeze"], capture_output=True, text=True, check=True, timeout=60)
    packages = {line.split("==")[0].lower().replace("_", "-") for line in listed.stdout.splitlines()}
    assert not packages & {"tensorflow", "tensorflow-cpu", "keras", "onnx", "onnxruntime", "scipy"}

    kexport = [str(tmp_path / "venv" / "bin" / "kexport")]
    verified = subprocess.run([*kexport, "verify", REFERENCE / "lowpass"], capture_output=True, text=True, timeout=60)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    for name in ("onnxruntime", "saved_model", "keras"):
        assert f"{name} was left out: not installed" in verified.stdout
    missing = subprocess.run(
        [*kexport, "verify", REFERENCE / "lowpass", "--runtime", "onnxruntime"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert missing.returncode == 3
    build = subprocess.run(
        [*kexport, "build", "--model", "lowpass"], capture_output=True, text=True, timeout=60, cwd=tmp_path
    )
    assert build.returncode == 2
    assert "kexport[build]" in build.stderr
    code = (
        f"import kexport, numpy\nmodel = kexport.load({str(REFERENCE / 'scaled')!r})\n"
        "assert model.runtime == 'litert'\nprint(model(numpy.ones((1, 2), 'float32')).tolist())\n"
    )
    loaded = subprocess.run([str(python), "-c", code], capture_output=True, text=True, timeout=60)
    assert loaded.stdout == "[[2.0, 2.0]]\n", loaded.stderr
