"""The pytest plugin, in a user's own test-suite."""

import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import pytest

from conftest import REFERENCE


@pytest.fixture
def suite(tmp_path):
    """`suite(code, *arguments)`: pytest over one file of tests, warnings being errors and markers strict."""
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -W error --strict-markers --strict-config -ra\n")
    (tmp_path / "reference").symlink_to(REFERENCE)

    def run(code, *arguments, **environment):
        (tmp_path / "test_mine.py").write_text(code)
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
        return subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, timeout=120, env={**os.environ, **environment}
        )

    return run


MARKED = """
import pytest
@pytest.mark.kexport(bundle="reference/lowpass", runtimes=["litert"])
def test_it(kexport_bundle):
    assert kexport_bundle.manifest.name == "lowpass"
"""


def test_a_marked_test_verifies_its_bundle_and_gets_it(suite):
    result = suite(MARKED)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "1 passed" in result.stdout


def test_a_marked_test_fails_before_its_body_runs_and_reads_well(suite, reference):
    (reference / "model.tflite").write_bytes(b"")
    code = MARKED.replace("reference/lowpass", "lowpass").replace("assert ", "print('body'); assert ")
    result = suite(code)
    assert result.returncode == 1
    assert "FAIL         digest   model.tflite" in result.stdout
    assert "not checked  runtime" in result.stdout
    assert f"kexport verify {reference}" in result.stdout
    assert "body" not in result.stdout
    assert "Traceback" not in result.stdout
    assert "parity.py" not in result.stdout, "frames of kexport are hidden"


def test_the_function_and_the_fixture_fail_with_no_frame_of_ours(suite, reference):
    (reference / "model.onnx").write_bytes(b"")
    result = suite(
        "from kexport.testing import assert_parity as imported\n"
        "def test_imported():\n    imported('lowpass/', runtimes='onnxruntime')\n"
        "def test_fixture(assert_parity):\n    assert_parity('lowpass/', runtimes='onnxruntime')\n"
        "def test_missing():\n    imported('none/')\n"
    )
    assert result.returncode == 1
    assert "3 failed" in result.stdout
    assert "model.onnx is not the file that the manifest describes" in result.stdout
    assert "no such folder" in result.stdout
    assert "verifying.py" not in result.stdout
    assert "plugin.py" not in result.stdout


@pytest.mark.parametrize(
    ("marker", "body", "words"),
    [
        ("bundle='none'", "()", "no such folder"),
        ("bundle='reference/lowpass', runtime='litert'", "()", "unexpected keyword argument 'runtime'"),
        ("bundle='reference/lowpass', code=()", "()", "unexpected keyword argument 'code'"),
        (
            "bundle='reference/lowpass', runtimes='litert', imports=['none.py']",
            "()",
            "imports=['none.py']: there is no such",
        ),
        ("bundle='reference/lowpass', runtimes='lite'", "()", "did you mean litert?"),
        ("runtimes='litert'", "()", "nothing was compared"),
        ("", "(assert_parity)", "nothing was compared"),
        ("", "(kexport_bundle)", "kexport_bundle needs"),
    ],
)
def test_a_marker_that_checks_nothing_fails_the_test(suite, marker, body, words):
    result = suite(f"import pytest\n@pytest.mark.kexport({marker})\ndef test_it{body}:\n    pass\n")
    assert result.returncode == 1, result.stdout
    assert words in result.stdout
    assert "INTERNALERROR" not in result.stdout + result.stderr


def test_a_marker_without_a_bundle_says_what_the_fixture_checks(suite):
    result = suite(
        "import pytest\npytestmark = pytest.mark.kexport(runtimes=['onnxruntime'])\n"
        "def test_it(assert_parity):\n"
        "    report = assert_parity('reference/scaled')\n"
        "    assert {c.runtime for c in report.checks if c.runtime} == {'onnxruntime'}\n"
    )
    assert result.returncode == 0, result.stdout


BOTH = """
from kexport.testing import assert_parity
def test_it():
    assert_parity("reference/lowpass", runtimes=["onnxruntime"])
"""


def test_the_option_is_added_to_every_assertion(suite, tmp_path):
    result = suite(BOTH, "--kexport-require", "litert,onnxruntime", "--junitxml", "junit.xml")
    assert result.returncode == 0, result.stdout + result.stderr
    (found,) = ElementTree.parse(tmp_path / "junit.xml").getroot().iter("property")
    assert found.attrib == {"name": "kexport_compared", "value": "litert,onnxruntime"}


def test_the_option_fails_what_is_not_installed(suite, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util as u\nfind = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name == 'ai_edge_litert' else find(name, *rest)\n"
    )
    result = suite(BOTH, "--kexport-require=litert", PYTHONPATH=str(tmp_path))
    assert result.returncode == 1
    assert "not checked  runtime  -         litert" in result.stdout


@pytest.mark.parametrize(
    "code", ["def test_it():\n    pass\n", "", BOTH.replace("def", "import pytest\n@pytest.mark.skip\ndef")]
)
def test_the_option_fails_a_session_in_which_nothing_was_compared(suite, code):
    result = suite(code, "--kexport-require=litert")
    assert result.returncode == 1, result.stdout
    assert "nothing was compared in litert" in result.stdout


@pytest.mark.parametrize(("text", "words"), [("lite", "did you mean litert?"), ("", "names no runtime")])
def test_an_unreadable_option_ends_the_session(suite, text, words):
    result = suite(BOTH, f"--kexport-require={text}")
    assert result.returncode == 4
    assert words in result.stderr


def test_the_plugin_imports_nothing_heavy_into_a_session_that_does_not_ask(suite):
    result = suite(
        "import sys\n"
        "def test_it():\n"
        "    assert 'kexport.testing.plugin' in sys.modules\n"
        "    heavy = {'numpy', 'click', 'rich', 'tensorflow', 'keras', 'onnxruntime', 'kexport.runtimes'}\n"
        "    assert not heavy & set(sys.modules)\n"
    )
    assert result.returncode == 0, result.stdout
