"""Forty typical mistakes: each gets an exact message with a way out, no traceback, and the exit code of bad usage."""

import csv
import json
import os
import shlex
import shutil

import numpy as np
import pytest

from conftest import REFERENCE

#: What is typed in a folder with a bundle, arrays and a few files; what is wrong; and the way out.
MISTAKES = [
    # commands
    ("benchmark lowpass", "unknown command 'benchmark'", "--budget latency=2ms"),
    ("quantize my.keras", "unknown command 'quantize'", "--precision int8"),
    ("convert my.keras", "unknown command 'convert'", "kexport build MODEL --formats onnx,tflite"),
    ("predict lowpass", "unknown command 'predict'", "kexport run BUNDLE --input FILE"),
    ("biuld lowpass", "unknown command 'biuld'", "did you mean build?"),
    ("help", "unknown command 'help'", "kexport COMMAND --help"),
    # options
    ("inspect lowpass --html a.html", "kexport inspect has no option --html", "kexport report BUNDLE --html FILE"),
    ("build lowpass --format onnx", "kexport build has no option --format", "did you mean --formats?"),
    ("build lowpass --output b", "kexport build has no option --output", "did you mean --out?"),
    ("run lowpass --input x.npy --out y.npy", "kexport run has no option --out", "did you mean --output?"),
    ("verify lowpass --rtol 1e-3", "kexport verify has no option --rtol", "--tolerance 'y=1e-4: 12-bit sensor'"),
    ("verify lowpass --serach 5", "kexport verify has no option --serach", "did you mean --search?"),
    ("build lowpass --quantize int8", "kexport build has no option --quantize", "did you mean --precision?"),
    ("--versoin", "kexport has no option --versoin", "did you mean --version?"),
    # what is lacking
    ("build", "no model to build was named", "kexport build lowpass"),
    ("verify", "kexport verify lacks BUNDLE", "kexport verify artifacts/lowpass"),
    ("compare lowpass", "kexport compare lacks B", "kexport compare old/model.onnx new/model.onnx"),
    ("run lowpass", "kexport run lacks --input", "kexport run artifacts/lowpass --input signal.csv"),
    ("build lowpass --model lowpass", "which model to build was said twice", "kexport build lowpass"),
    # values
    ("verify lowpass --search 0", "a budget of '0' searches nothing", "leave --search out"),
    ("verify lowpass --search ten", "unreadable budget 'ten'", "such as 30s or 2m"),
    ("verify lowpass --tolerance '1e-2: reason'", "does not say of what: it lacks OUTPUT=", "kexport inspect"),
    ("verify lowpass --tolerance filtered=loose", "unreadable tolerance 'loose'", "for example 1e-4"),
    ("verify lowpass --tolerance filterd=1e-3", "'filterd', which is not an output", "did you mean filtered?"),
    ("verify lowpass --runtime tflite", "unknown runtime 'tflite'", "did you mean litert?"),
    ("verify lowpass --runtime onnx", "unknown runtime 'onnx'", "did you mean onnxruntime?"),
    ("build lowpass --formats tf", "unknown format 'tf'", "did you mean saved_model?"),
    ("build lowpass --precision fp16", "unknown precision 'fp16'", "did you mean float16?"),
    ("build lowpass --opset high", "--opset: 'high' is not a valid integer", "kexport build --help"),
    ("build lowpass --timeout 0", "--timeout cannot be read", "a number from 1 to 1e+08"),
    ("build lowpass --max-seconds nan", "--max-seconds cannot be read", "a number from 0 to"),
    ("build lowpass --max-bytes 10MB", "--max-bytes cannot be read", "a whole number from 0"),
    ("build lowpass --seed -1", "--seed cannot be read", "got:      -1"),
    ("report lowpass --html", "--html has no value", "a value after it"),
    ("build lowpass lowpass", "kexport build takes fewer arguments", "kexport build --help"),
    ("inspect lowpass lowpass", "kexport inspect takes fewer arguments", "got:      lowpass besides"),
    ("build lowpass --domain signal=0,1", "domain '0,1' cannot be read", "uniform(LOW, HIGH)"),
    ("build lowpass --set kernel_size", "--set 'kernel_size' has no value", "--set KEY=VALUE"),
    ("build lowpass --set kernel=5", "no parameter 'kernel'", "kernel_size"),
    ("list model", "unknown list 'model'", "did you mean models?"),
    ("verify lowpass --truth", "--truth needs --search", "--search 30s --truth"),
    # files
    ("build lowpas", "unknown model 'lowpas'", "did you mean lowpass?"),
    ("build lowpass_bundle", "lowpass_bundle is not a SavedModel", "did you mean lowpass_bundle/model.keras?"),
    ("inspect empty.onnx", "empty.onnx cannot be read", "got:      an empty file"),
    ("build none.keras", "there is no file none.keras", "check the path"),
    ("build net.py", "net.py", "net.py:"),
    ("verify model.onnx", "model.onnx is not a bundle", "got:      a file"),
    ("run lowpass --input wide.npy", "input 'signal' has the wrong shape", "(?, ?)"),
    ("run lowpass --input double.npy", "input 'signal' has the wrong dtype", "x.astype('float32')"),
    ("run lowpass --input gaps.csv", "gaps.csv, line 2, column 2", "fill or remove the gaps"),
    ("verify lowpass --junit lowpass/report.xml", "--junit lowpass/report.xml would change lowpass", "write beside it"),
]


@pytest.fixture
def place(reference):
    folder = reference.parent
    np.save(folder / "x.npy", np.ones((1, 5), "float32"))
    np.save(folder / "wide.npy", np.ones((1, 5, 2), "float32"))
    np.save(folder / "double.npy", np.ones((1, 5)))
    with (folder / "gaps.csv").open("w", newline="") as file:
        csv.writer(file).writerows([[1, 2], [3, ""]])
    (folder / "net.py").write_text("def net():\n    pass\n")
    (folder / "model.onnx").write_bytes((REFERENCE / "lowpass" / "model.onnx").read_bytes())
    (folder / "empty.onnx").touch()
    shutil.copytree(REFERENCE / "lowpass", folder / "lowpass_bundle")
    return folder


@pytest.mark.parametrize(("typed", "wrong", "way_out"), MISTAKES, ids=[mistake[0] for mistake in MISTAKES])
def test_a_mistake_gets_an_exact_message_and_a_way_out(kexport, place, typed, wrong, way_out):
    result = kexport(*shlex.split(typed), cwd=place)
    assert result.returncode == 2, (result.stdout, result.stderr)
    subject, *facts = result.stderr[result.stderr.index("error: ") :].splitlines()
    assert wrong in subject
    assert way_out in "\n".join(facts), facts
    assert any(line.startswith(("  expected:", "  hint:")) for line in facts)
    assert "Traceback" not in result.stderr


def test_there_are_forty_of_them():
    assert len(MISTAKES) >= 40


def test_help_has_groups_defaults_examples_and_whole_sentences(kexport):
    for command in ("build", "verify", "compare", "localise", "run"):
        said = kexport(command, "--help").stdout
        for words in ("Examples:", f"kexport {command} ", "Code that may run, and limits:"):
            assert words in said
        assert "..." not in said.replace("BUNDLE...", "").replace(", ...", "")
    assert "[default: 0; x>=0]" in kexport("verify", "--help").stdout
    assert "..." not in kexport("--help").stdout.replace("[ARGS]...", "")


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (["bu"], {"build"}),
        (["verify", "x", "--runt"], {"--runtime"}),
        (["verify", "x", "--runtime", "on"], {"onnxruntime"}),
        (["build", "low"], {"lowpass"}),
        (["build", "lowpass", "--formats", "onnx,tf"], {"onnx,tflite"}),
        (["build", "lowpass", "--precision", "int"], {"int16x8", "int8"}),
        (["list", "l"], {"layers"}),
        (["completion", ""], {"bash", "zsh", "fish"}),
        (["nonsense", ""], set()),
    ],
)
def test_a_shell_completes_commands_options_and_values(kexport, typed, expected):
    words = " ".join(["kexport", *typed])
    asked = {"_KEXPORT_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(len(typed))}
    result = kexport(env={**os.environ, **asked})
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    found = {line.partition(",")[2] for line in result.stdout.splitlines() if line.startswith("plain,")}
    assert expected == found


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_a_shell_asks_kexport(kexport, shell):
    assert f"_KEXPORT_COMPLETE={shell}_complete" in kexport("completion", shell).stdout
    assert kexport("completion", "tcsh").returncode == 2


def test_inspect_list_and_doctor_print_json(kexport, place):
    bundle = json.loads(kexport("inspect", "lowpass", "--json", cwd=place).stdout)
    assert bundle["passed"] is True
    assert bundle["manifest"]["name"] == "lowpass"
    (function,) = json.loads(kexport("inspect", "model.onnx", "--json", cwd=place).stdout)["functions"]
    assert function["inputs"] == {"signal": "float32 (?, ?)"}
    layers = {entry["name"]: entry for entry in json.loads(kexport("list", "layers", "--json").stdout)}
    assert layers["LowPassFilter"]["summary"].startswith("Filters every channel")
    installed = json.loads(kexport("doctor", "--json").stdout)["runtimes"]
    assert installed["onnxruntime"]["version"]


def test_several_bundles_are_verified_with_one_summary_and_the_worst_exit_code(kexport, place):
    shutil.copytree(place / "lowpass", place / "other")
    with (place / "other" / "model.onnx").open("ab") as file:
        file.write(b"\0")
    both = kexport("verify", "lowpass", "other", "--runtime", "onnxruntime", cwd=place)
    assert both.returncode == 1, both.stderr
    heading, first, second = both.stdout.splitlines()[-3:]
    assert heading == "2 bundles, 1 passed"
    assert first.startswith("  pass lowpass: ")
    assert second.startswith("  FAIL other: ")
    missing = kexport("verify", "none", "lowpass", "--runtime", "onnxruntime", "--json", cwd=place)
    assert missing.returncode == 2
    assert {check["artifact"].split("/")[0] for check in json.loads(missing.stdout)["checks"]} == {"lowpass"}
    assert "none is not a bundle" in missing.stderr


def test_a_loaded_model_takes_its_inputs_by_name():
    import kexport
    from kexport.errors import InputError, UsageError

    with kexport.load(REFERENCE / "lowpass", runtime="onnxruntime") as model:
        x = np.ones((1, 5), "float32")
        by_name = model(signal=x)
        assert isinstance(by_name, np.ndarray)
        assert np.array_equal(by_name, model(x))
        with pytest.raises(UsageError, match="by position and by name"):
            model(x, signal=x)  # type: ignore[call-overload]
        with pytest.raises(InputError, match="did you mean signal"):
            model(sgnal=x)
