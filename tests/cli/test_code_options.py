"""`--import`, `--allow-lambda` and `--trust`: the commands that load models have them, and say what to give."""

import inspect

import numpy as np
import pytest

import kexport as package
from kexport.cli._group import kexport as group


@pytest.mark.parametrize("name", ["build", "verify", "run", "localise", "compare", "inspect"])
def test_each_command_that_may_load_a_keras_file_takes_the_options_that_its_hints_name(name):
    options = [option for each in group.get_command(None, name).params for option in each.opts]
    assert {"--import", "--allow-lambda", "--trust"} <= set(options)


@pytest.mark.parametrize("function", [package.build, package.load, package.verify, package.compare])
def test_each_function_that_may_load_a_keras_file_takes_the_same(function):
    assert {"imports", "allow_lambda", "trust"} <= set(inspect.signature(function).parameters)


def test_a_model_runs_with_the_code_that_its_receiver_gives(kexport, travelling, tmp_path):
    np.save(tmp_path / "x.npy", np.ones((2, 4), "float32"))
    run = ("run", travelling / "net", "--input", "x.npy", "--runtime", "keras")
    without = kexport(*run)
    assert without.returncode == 3
    assert "model.keras needs lab>Tab and lab>act from tab.py" in without.stderr
    assert "give it with --import tab.py" in without.stderr
    given = kexport(*run, "--import", travelling / "code" / "tab.py")
    assert given.returncode == 0, given.stderr
    assert "note:" not in given.stderr
    assert len(given.stdout.splitlines()) == 2


def test_the_layers_are_localised_with_code_that_may_differ(kexport, travelling, tmp_path):
    assert kexport("localise", travelling / "net").returncode == 3
    altered = tmp_path / "altered.py"
    altered.write_text((travelling / "code" / "tab.py").read_text().replace("from tab_scale import SCALE", "SCALE = 2"))
    result = kexport("localise", travelling / "net", "--import", altered)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "note: the code in altered.py is not what the bundle was built with" in result.stderr


@pytest.mark.parametrize(("command", "end"), [("verify", "raise GeneratorExit"), ("compare", "os.abort()")])
def test_code_that_ends_its_process_is_an_error_of_who_gave_it_and_no_verdict(
    kexport, travelling, tmp_path, command, end
):
    (tmp_path / "ends.py").write_text(f"import os\n{end}\n")
    files = (travelling / "net", travelling / "net" / "model.keras")
    result = kexport(command, *files[: 1 if command == "verify" else 2], "--runtime", "keras", "--import", "ends.py")
    assert (result.returncode, result.stdout) == (2, "")
    assert "--import ends.py failed" in result.stderr


def test_inspect_lists_the_code_that_a_bundle_needs(kexport, travelling):
    told = kexport("inspect", travelling / "net").stdout
    section = told[told.index("code that it needs") :].splitlines()[1:3]
    assert [line.split(",")[0].split() for line in section] == [
        ["lab>Tab", "layer", "in", "tab.py"],
        ["lab>act", "function", "in", "tab.py"],
    ]


def test_a_second_signature_is_refused_and_not_taken_in_place_of_the_first(kexport):
    result = kexport("compare", "a.onnx", "b.onnx", "--signature", "a", "--signature", "b")
    assert result.returncode == 2
    assert "one signature at a time" in result.stderr
    assert "a, b" in result.stderr


def test_a_signature_without_a_name_is_refused(kexport):
    for words in (("compare", "a.onnx", "b.onnx"), ("build", "model_folder")):
        result = kexport(*words, "--signature", "")
        assert result.returncode == 2
        assert "without a name" in result.stderr
