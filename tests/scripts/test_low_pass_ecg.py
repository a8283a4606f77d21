import os
import subprocess
import sys

from conftest import ROOT


def run(folder, *options):
    command = [sys.executable, str(ROOT / "scripts" / "low_pass_ecg.py"), "--out", str(folder / "bundle"), *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, env={**os.environ})


def test_the_stop_band_is_scipys_in_every_runtime(tmp_path):
    done = run(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    row = next(line.split() for line in done.stdout.splitlines() if line.lstrip().startswith("60 Hz"))
    assert row[2:] == ["-50.481"] * 6, "SciPy and five runtimes"
    assert "*" not in done.stdout


def test_a_mistyped_tap_shows_in_the_stop_band(tmp_path):
    done = run(tmp_path, "--break", "--formats", "onnx,tflite")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "60 Hz    -50.481         -45.654 *" in done.stdout
