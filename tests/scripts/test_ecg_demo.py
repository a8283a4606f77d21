import subprocess
import sys

from conftest import ROOT


def test_a_real_electrocardiogram_is_filtered_as_by_scipy_in_every_runtime(tmp_path):
    command = [sys.executable, str(ROOT / "scripts" / "ecg_demo.py"), "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("from SciPy (limit") == 5
