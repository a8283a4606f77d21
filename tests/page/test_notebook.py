"""In a notebook: a notebook is run, and its outputs are looked at."""

import re
from dataclasses import replace

import gallery
import nbclient
import nbformat
import pytest

import kexport
from conftest import REFERENCE
from kexport import notebook
from kexport.bundle.folder import Bundle
from kexport.errors import UsageError
from kexport.python_call import in_python

CELLS = (
    "import os\nos.environ.pop('TF_CPP_MIN_LOG_LEVEL', None)  # as conftest sets it\nimport kexport",
    "bundle = kexport.build('lowpass', 'lowpass', formats=['onnx', 'tflite'])\nbundle",
    "bundle.report",
    "report = kexport.verify('lowpass', ['onnxruntime'])\nreport",
    "kexport.compare('lowpass/model.onnx', 'lowpass/model.tflite', search='50')",
    "print('mine')\nprint(repr(bundle), repr(report), repr(bundle.manifest), sep='\\n')",
    "try:\n    kexport.build('lowpass', '.')\nexcept kexport.KexportError as error:\n    print(error)",
    "with kexport.load('lowpass') as model:\n    print(model(__import__('numpy').zeros((1, 9), 'float32')).shape)",
)


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    folder = tmp_path_factory.mktemp("notebook")
    run = nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, CELLS)))
    run.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbclient.NotebookClient(run, timeout=240, resources={"metadata": {"path": str(folder)}}).execute()
    return [cell.outputs for cell in run.cells]


def results(outputs):
    return [each.data for each in outputs if each.output_type == "execute_result"]


def printed(outputs):
    return "".join(each.text for each in outputs if each.output_type == "stream" and each.name == "stdout")


@pytest.mark.parametrize("cell", [1, 2, 3, 4])
def test_bundle_report_and_comparison_draw_themselves(cells, cell):
    (data,) = results(cells[cell])
    assert 'class="strip chart"' in data["text/html"] or "chart strip" in data["text/html"]
    assert "<script" not in data["text/html"]
    assert "passed" in data["text/html"]
    assert len(data["text/plain"]) <= 200


@pytest.mark.parametrize("cell", [1, 3, 4])
def test_progress_is_a_bar_that_ends_full(cells, cell):
    (bar,) = [each.data["text/html"] for each in cells[cell] if each.output_type == "display_data"]
    found = re.match(r'<progress max="(\d+)" value="(\d+)" aria-label="\w+"></progress> \w+: done, [\d.]+ s$', bar)
    assert found[1] == found[2]


def test_nothing_else_appears(cells):
    for outputs in cells:
        assert [each for each in outputs if each.output_type == "stream" and each.name == "stderr"] == []
    assert [printed(cells[index]) for index in (0, 1, 2, 3, 4)] == [""] * 5


def test_plain_representations_are_short(cells):
    first, *lines = printed(cells[5]).splitlines()
    assert first == "mine"  # what the user prints is seen
    assert len(lines) == 3
    assert max(map(len, lines)) <= 200


def test_hints_name_arguments(cells):
    text = printed(cells[6])
    assert "cannot become a bundle" in text
    assert "--" not in text


def test_a_loaded_model_is_called(cells):
    assert printed(cells[7]) == "(1, 9)\n"


def test_a_plain_representation_is_short_whatever_the_names(tmp_path):
    subject = gallery.hostile(tmp_path / ("bundle" + "x" * 200))
    for each in (subject.bundle, subject.report, subject.bundle.manifest, gallery.localised()):
        assert len(repr(each)) <= 200
        assert "\u202e" not in repr(each)
        assert "\n" not in repr(each)


def test_a_bundle_whose_report_is_missing_has_its_plain_text(reference):
    (reference / "report.json").unlink()
    bundle = Bundle.open(reference)
    assert bundle._repr_html_() is None
    assert "lowpass" in repr(bundle)


def test_layers_draw_themselves():
    text = gallery.localised()._repr_html_()
    assert "an artifact diverges at block_20/conv" in text
    assert "error of 30 layers" in text


def test_outside_of_a_notebook_nothing_is_shown(capfd):
    assert not notebook.inside()
    kexport.verify(REFERENCE / "scaled", ["onnxruntime"])
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("command_line", "python"),
    [
        ("--max-bytes allows more", "max_bytes allows more"),
        ("if you trust the file, add --allow-lambda", "if you trust the file, add allow_lambda=True"),
        ("build it with --formats keras", "build it with formats=['keras']"),
        ("build it with --formats keras,onnx; or", "build it with formats=['keras', 'onnx']; or"),
        ("--precision int8 --io int, and load it", "precision='int8' io='int', and load it"),
        (
            "--import FILE|MODULE runs the code",
            "imports=['FILE|MODULE'] runs the code",
        ),
        ("--tolerance OUTPUT=LIMIT declares another", "tolerance={'OUTPUT': 'LIMIT'} declares another"),
        ("--out some/NAME", "out='some/NAME'"),
        ("choose another --out", "choose another out"),
        ("--metric needs labels", "metric needs labels"),
        ("--metric mae or rmse takes any numbers", "metric='mae' or rmse takes any numbers"),
        ("--samples FILE: a .npz", "samples='FILE': a .npz"),
        ("pip install --upgrade kexport", "pip install --upgrade kexport"),
        ("a -- b", "a -- b"),
    ],
)
def test_options_are_told_as_arguments(command_line, python):
    assert in_python(command_line) == python


def test_an_error_from_python_keeps_its_facts():
    with pytest.raises(UsageError) as caught:
        kexport.build("lowpass", "x", budget="sqnr=30dB")
    assert "--" not in str(caught.value)
    assert "precision=" in str(caught.value)
    assert caught.value.facts["got"] == "the precision float32"


def test_a_report_is_equal_to_its_copy():
    report = gallery.report("x")
    assert replace(report) == report
