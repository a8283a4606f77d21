"""`kexport compare` as it is typed: its table, its exit codes, and where its report goes."""

import json
import os
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

import onnx_models as models
from conftest import REFERENCE

LOWPASS = REFERENCE / "lowpass"
ONNX, TFLITE = LOWPASS / "model.onnx", LOWPASS / "model.tflite"
FEW = ("--search", "60")


@pytest.fixture
def different(tmp_path):
    weights = models.WEIGHTS.copy()
    weights[0, 0] *= 1.001
    return models.linear(tmp_path / "old.onnx"), models.linear(tmp_path / "new.onnx", weights)


def test_two_files_that_agree_are_a_table_and_exit_code_0(kexport):
    result = kexport("compare", ONNX, TFLITE, "--runtime", "litert_reference", *FEW)
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[0].split()[:6] == ["verdict", "A", "B", "output", "error", "limit"]
    assert lines[1].startswith("pass     model.onnx onnxruntime  model.tflite litert_reference  filtered")
    assert "60 searched inputs" in result.stdout or "(search)" in result.stdout
    assert "note: input signal has no declared domain: uniform(-1, 1) is the default" in lines
    assert lines[-1] == "model.tflite against model.onnx: 3 checks passed"


def test_a_thousand_evaluations_are_searched_unless_told_otherwise(kexport, different):
    result = kexport("compare", different[0], different[0], "--json", "--seed", "7")
    (check,) = [check for check in json.loads(result.stdout)["checks"] if check["kind"] == "search"]
    assert check["metrics"]["evaluations"] == 5000
    assert check["metrics"]["seed"] == 7
    assert "By default 5000" in " ".join(kexport("compare", "--help").stdout.split())


def test_two_files_that_differ_are_told_everywhere_and_exit_code_1(kexport, different, tmp_path):
    arguments = ("--github", "--junit", "j.xml", "--witness", "w.npz", *FEW)
    result = kexport("compare", *different, *arguments)
    assert result.returncode == 1, result.stderr
    assert "    worst element [" in result.stdout, "the worst element stands below the row, as there is no room in it"
    assert "the input is kept in w.npz" in result.stdout
    assert "::error title=kexport%3A new.onnx against old.onnx" in result.stdout
    assert np.load(tmp_path / "w.npz")["x"].shape == (1, 4)
    suite = ElementTree.parse(tmp_path / "j.xml").getroot()
    assert suite.get("failures") == "2"
    told = kexport("compare", *different, "--tolerance", "y=1e-2: as measured", *FEW)
    assert told.returncode == 0, told.stdout
    assert "was declared: as measured" in told.stdout


def test_names_are_mapped(kexport, different, tmp_path):
    other = models.two(tmp_path / "b.onnx", "pqrs")
    two = models.two(tmp_path / "a.onnx")
    refused = kexport("compare", two, other)
    assert refused.returncode == 2
    assert "--map A_NAME=B_NAME" in refused.stderr
    maps = [word for pair in ("x=p", "n=q", "y=r", "k=s") for word in ("--map", pair)]
    assert kexport("compare", two, other, *maps, *FEW).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--witness", "none/w.npz"), "cannot be written"),
        (("--witness", "w.txt"), "ending in .npz"),
        (("--witness", "."), "ending in .npz"),
        (("--map", "x"), "has no value"),
        (("--map", "x=z"), "B has no input or output 'z'"),
        (("--domain", "z=uniform(0, 1)"), "which is no input"),
        (("--domain", "x=unifrm(0, 1)"), "domain 'unifrm(0, 1)' cannot be read"),
        (("--samples", "none.npz"), "there is no file"),
        (("--tolerance", "z=1"), "not an output of the model"),
        (("--search", "soon"), "unreadable budget"),
        (("--runtime", "lite"), "unknown runtime"),
    ],
)
def test_a_wrong_request_is_exit_code_2(kexport, different, arguments, words):
    result = kexport("compare", different[0], different[0], *arguments)
    assert result.returncode == 2, result.stdout
    assert words in result.stderr
    assert "Traceback" not in result.stderr
    assert not result.stdout


def test_a_file_that_is_no_model_is_exit_code_2(kexport, different, tmp_path):
    (tmp_path / "words.onnx").write_text("not a model")
    for pair in ((different[0], "words.onnx"), ("words.onnx", different[0]), ("none", "none")):
        result = kexport("compare", *pair)
        assert result.returncode == 2
        assert "Traceback" not in result.stderr
        assert result.stderr.splitlines()[1].startswith("error: ")


def test_a_runtime_that_is_missing_is_exit_code_3(kexport, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util as u\nfind = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name == 'ai_edge_litert' else find(name, *rest)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    for arguments in ((ONNX, TFLITE), (LOWPASS, LOWPASS, "--runtime", "litert")):
        result = kexport("compare", *arguments, env=environment)
        assert result.returncode == 3, result.stdout
        assert "pip install 'kexport[litert]'" in result.stderr
    left = kexport("compare", LOWPASS, LOWPASS, "--search", "10", env=environment)
    assert left.returncode == 0, left.stderr
    assert "litert was left out: not installed" in left.stdout


def test_an_interrupt_leaves_nothing_behind(tmp_path, different):
    memory = Path("/dev/shm" if os.access("/dev/shm", os.W_OK) else tmp_path)
    command = [sys.executable, "-m", "kexport", "compare", *map(str, different[:1] * 2), "--search", "60s"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, env={**os.environ, "TMPDIR": str(memory)})
    deadline = time.monotonic() + 60
    while not (files := list(memory.glob("kexport-*/*.old.onnx.in"))):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130
    assert b"interrupted" in process.stderr.read()
    process.stderr.close()
    assert not files[0].parent.exists()


def test_what_needs_tensorflow_is_compared_too(kexport):
    result = kexport("compare", LOWPASS / "saved_model", LOWPASS / "model.keras", *FEW)
    assert result.returncode == 0, result.stderr
    assert "saved_model saved_model  model.keras keras" in result.stdout
