"""The pages of measurements are true: each script runs a sample of its cases again, and compares or judges them."""

import subprocess
import sys

import pytest

from conftest import ROOT

COMMANDS = {
    "export_coverage.py": ["--groups", "layers,ops,models,applications"],
    "benchmark_faults.py": [],
    "benchmark_precision_faults.py": [],
    "benchmark_contracts.py": [],
    "benchmark_adequacy.py": [],
    "benchmark_same_bytes.py": [],
    "random_networks.py": [],
    "layer_pairs.py": [],
    "mutations.py": [],
}


@pytest.mark.parametrize("script", COMMANDS)
def test_the_sample_is_as_the_table_says(script):
    command = [sys.executable, ROOT / "scripts" / script, "--sample", *COMMANDS[script]]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
