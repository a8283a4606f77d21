"""`--html`: the page of each command that checks, and `kexport report`."""

import os
import shutil

import pytest

from conftest import REFERENCE

SITE = "import sys\nsys.modules['jinja2'] = None\n"


def test_verify_writes_a_page_of_what_it_found(kexport, tmp_path):
    done = kexport("verify", REFERENCE / "lowpass", "--runtime", "onnxruntime", "--html", "page.html")
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "page.html").read_text()
    assert f"wrote page.html, {len(text.encode()) / 1000:.1f} kB" in done.stdout
    assert "errors of model.onnx on onnxruntime: largest 2.9e-08, limit 4.8e-07" in text
    assert "389 elements" in text  # their distribution
    assert "model.tflite on litert" not in text


def test_json_stays_alone_on_standard_output(kexport, tmp_path):
    done = kexport("verify", REFERENCE / "scaled", "--runtime", "onnxruntime", "--html", "page.html", "--json")
    assert done.stdout.startswith("{")
    assert done.stdout.rstrip().endswith("}")
    assert "wrote page.html" in done.stderr


def test_compare_writes_a_page_of_both(kexport, tmp_path):
    a, b = (REFERENCE / "lowpass" / name for name in ("model.onnx", "model.tflite"))
    done = kexport("compare", a, b, "--search", "10", "--html", "page.html")
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "page.html").read_text()
    assert "model.tflite against model.onnx" in text
    assert "Searches for the worst input" in text


def test_report_sets_an_old_bundle_against_a_new_one(kexport, tmp_path):
    done = kexport("report", REFERENCE / "lowpass", REFERENCE / "lowpass_small", "--html", "page.html")
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "page.html").read_text()
    assert "lowpass_small against lowpass" in text
    assert "figures differ" in text


def test_report_prints_the_report_of_a_build(kexport):
    done = kexport("report", REFERENCE / "lowpass")
    assert done.returncode == 0, done.stderr
    assert "lowpass: 15 checks passed" in done.stdout


def test_a_page_of_a_bundle_that_fails_says_so(kexport, tmp_path):
    shutil.copytree(REFERENCE / "lowpass", tmp_path / "bundle")
    (tmp_path / "bundle" / "model.onnx").write_bytes((REFERENCE / "scaled" / "model.onnx").read_bytes())
    done = kexport("verify", "bundle", "--runtime", "onnxruntime", "--html", "page.html")
    assert done.returncode == 1
    assert "is not the file that the manifest describes" in (tmp_path / "page.html").read_text()


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("missing/page.html", "missing/page.html cannot be written"),
        (".", ". cannot be written"),
        ("bundle/page.html", "--html bundle/page.html would change bundle"),
    ],
)
def test_a_place_that_cannot_be_written_is_told_before_the_work(kexport, tmp_path, path, words):
    shutil.copytree(REFERENCE / "lowpass", tmp_path / "bundle")
    for command in (
        ("verify", "bundle"),
        ("report", "bundle"),
        ("localise", "bundle"),
        ("compare", "bundle", "bundle"),
    ):
        done = kexport(*command, "--html", path)
        assert done.returncode == 2, command
        assert words in done.stderr
        assert done.stdout == ""


def test_an_old_page_is_not_taken_for_that_of_a_run_that_was_refused(kexport, tmp_path):
    (tmp_path / "page.html").write_text("old")
    done = kexport("verify", REFERENCE / "lowpass", "--runtime", "nothing", "--html", "page.html")
    assert done.returncode == 2
    assert not (tmp_path / "page.html").exists()


def test_without_jinja2_the_hint_says_what_to_install_and_all_else_works(kexport, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(SITE)
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path}
    options = ("verify", REFERENCE / "scaled", "--runtime", "onnxruntime")
    assert kexport(*options, env=environment).returncode == 0
    refused = kexport(*options, "--html", "page.html", env=environment)
    assert refused.returncode == 2
    assert "pip install 'kexport[html]'" in refused.stderr
