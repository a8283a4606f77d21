"""A new format is one new file, and what its artifacts say of themselves one of the runtime that reads it."""

import os
import shutil
import subprocess
import sys

import pytest

from conftest import ROOT
from kexport.factory import formats
from kexport.runtimes import every as every_runtime

FORMAT = '''
"""A format of nobody's."""
from kexport.factory.formats._format import Format, Option
FORMAT = Format(
    name="sketch",
    path="model.sketch",
    summary="a sketch of the model",
    rank=25,
    default={default},
    converter="nowhere:convert",
    options=(Option("opset", range(90, 100), read=lambda details: details["opset"]),),
    keeps_state=True,
    expected="what a pencil can draw",
)
'''
RUNTIME = '''
"""A runtime of nobody's."""
from kexport.runtimes import ArtifactFile, Opened, Package, Runtime
RUNTIME = Runtime(
    name="pencil",
    file=ArtifactFile("sketch", ".sketch", details=lambda path: {"strokes": len(path.read_bytes())}),
    package=Package("numpy", ("numpy",), "build"),
    rank=99,
    summary="a pencil",
    opener=lambda path, signature: Opened(lambda arrays: arrays, (), ("y",)),
)
'''
PROGRAM = """
import pathlib
from kexport.cli._boundary import run
from kexport.errors import UsageError
from kexport.factory import BuildRequest, Conversion, formats
from kexport.factory.emit.culprit import Culprit
from kexport.factory.emit.refusal import refusal, stateful
from kexport.field.inspection import describe

pathlib.Path("model.sketch").write_bytes(b"12345")
print("listed", ",".join(form.name for form in formats.every()))
print("built", ",".join(form.name for form in BuildRequest("scaled").plan().formats))
print("described", describe(pathlib.Path("model.sketch")))
print("refused", refusal("sketch", "it has no colour", [Culprit("Paint", "layer 'red'")]))
print("stateful", stateful("onnx", [Culprit("Assign", "layer 'red'")], seeds=False))
for opset in (18, 95, 99_999):
    try:
        BuildRequest("scaled", conversion=Conversion(opset=opset)).plan()
    except UsageError as error:
        print("opset", opset, error)
"""


@pytest.fixture
def said(tmp_path):
    """`said(default)`: what kexport says of a copy of itself with the new files, by the first word of each line."""

    def run(default):
        package = tmp_path / "source" / "kexport"
        shutil.copytree(ROOT / "exporter" / "kexport", package, ignore=shutil.ignore_patterns("__pycache__"))
        (package / "factory" / "formats" / "sketch.py").write_text(FORMAT.format(default=default))
        (package / "runtimes" / "pencil.py").write_text(RUNTIME)
        paths = [str(tmp_path / "source"), str(ROOT / "layers")]
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], cwd=tmp_path, capture_output=True, text=True, timeout=60,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_a_new_file_is_offered_built_described_and_refuses_with_its_own_words(said):
    text = said(True)
    assert "listed keras,saved_model,sketch,onnx,tflite\n" in text
    assert "built keras,saved_model,sketch,onnx,tflite\n" in text
    assert "format='sketch'" in text
    assert "'strokes': 5" in text
    assert "the model cannot be written as sketch: it has no colour" in text
    assert "got:      Paint in layer 'red'" in text
    assert "expected: what a pencil can draw" in text
    assert "leave sketch out (--formats keras,saved_model)" in text
    assert "--formats keras,saved_model,sketch,tflite)" in text
    assert "opset 18 the sketch converter does not support this opset" in text
    assert "expected: 90 to 99" in text
    assert "opset 95 the onnx converter does not support this opset" in text


def test_a_new_file_is_built_on_demand_alone_if_it_says_so(said):
    text = said(False)
    assert "listed keras,saved_model,sketch,onnx,tflite\n" in text
    assert "built keras,saved_model,onnx,tflite\n" in text


def test_no_two_formats_have_one_rank():
    ranks = [form.rank for form in formats.every()]
    assert len(set(ranks)) == len(ranks)


def test_runtimes_agree_with_each_other_and_the_format_on_the_file_they_read():
    for form in formats.every():
        files = {(each.file.suffix, each.file.member) for each in every_runtime() if each.reads == form.name}
        ((suffix, member),) = files
        assert form.path.endswith(suffix)
        assert bool(suffix) != bool(member)
