"""What a person sees in a terminal: nothing is cut, nothing foreign appears, and it never stands still."""

import itertools
import re
import subprocess
import sys
import time

import numpy as np
import pytest

from conftest import REFERENCE
from pseudo_terminal import shown

LOWPASS = REFERENCE / "lowpass"
FEW = ("--runtime", "onnxruntime", "--runtime", "litert", "--search", "200")
#: Commands that say the same each time, without TensorFlow.
QUICK = {
    "verify": ("verify", "lowpass", *FEW),
    "compare": ("compare", "lowpass/model.onnx", "lowpass/model.tflite", "--search", "200"),
    "inspect": ("inspect", "lowpass"),
    "inspect_file": ("inspect", "lowpass/model.tflite"),
    "list": ("list", "contracts"),
    "doctor": ("doctor",),
    "run": ("run", "lowpass", "--input", "x.npy"),
    "help": ("build", "--help"),
    "all": ("--help",),
    "error": ("run", "lowpass", "--input", "a_file_with_a_long_name_that_is_not_there.npy", "--runtime", "onnxruntime"),
    "usage": ("verify", "lowpass", "--runtime", "onnxruntim"),
}
CODES = {"error": 2, "usage": 2}
TALKING = """
import sys
import keras
import kexport_layers

print("a word of the module")

def net():
    print("half a line", end="")
    print(" of the function", file=sys.stderr)
    x = keras.Input((None,), name="x")  # of a filter of it TensorFlow says that it cannot infer a shape
    return keras.Model(x, kexport_layers.LowPassFilter(5, cutoff=0.1, sample_rate=1.0, name="y")(x))
"""


@pytest.fixture
def place(reference):
    np.save(reference.parent / "x.npy", np.ones((1, 5), "float32"))
    (reference.parent / "talking.py").write_text(TALKING)
    return reference.parent


def told(lines):
    """The lines without those of the progress, which hold times."""
    text = "\n".join(re.sub(r"\d+\.\d s$", "", line) for line in lines)
    return [line for line in re.sub(r"(?m)^ok .*\n(?:   .*\n)*", "", text + "\n").split("\n") if line]


def piped(arguments, cwd, width, **variables):
    import os

    command = [sys.executable, "-m", "kexport", *arguments]
    environment = {**os.environ, "COLUMNS": str(width), **variables}
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=240, env=environment)


def require_whole(lines, width):
    for line in lines:
        assert len(line) <= width or len(line.split()) == 1, (width, line)
        assert "\N{HORIZONTAL ELLIPSIS}" not in line
        assert line == line.rstrip()


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("name", QUICK)
def test_a_terminal_shows_what_a_pipe_gets_at_every_width_and_nothing_else(name, width, place):
    plain = {"NO_COLOR": "1"} if width == 80 else {}
    seen = shown(*QUICK[name], width=width, cwd=place, **plain)
    assert seen.code == CODES.get(name, 0), seen.raw
    assert seen.escapes <= {"m", "K", "A", "h", "l"} - ({"m"} if plain else set()), "colours, and one line that changes"
    require_whole(seen.lines, width)
    got = piped(QUICK[name], place, width)
    require_whole(got.stdout.splitlines(), width)
    assert "\x1b" not in got.stdout + got.stderr
    beside = [line for line in got.stderr.splitlines() if not line.startswith(("reading ", "running ", "checking "))]
    if name in CODES:
        assert told(seen.lines) == beside
    else:
        assert [line for line in told(seen.lines) if line not in beside] == [*filter(None, got.stdout.splitlines())]


@pytest.mark.parametrize("width", [60, 120])
def test_a_build_in_a_terminal_shows_steps_figures_and_what_the_users_code_prints_and_nothing_else(width, place):
    plain = {"NO_COLOR": "1"} if width == 120 else {}
    seen = shown("build", "talking.py:net", "--out", "b", width=width, cwd=place, **plain)
    assert seen.code == 0, seen.raw
    assert ("m" in seen.escapes) is not bool(plain)
    require_whole(seen.lines, width)
    own = ("talking.py: a word of the module", "talking.py: half a line of the function")
    assert [line for line in seen.lines if line.startswith("talking.py: ")] == [*own]
    beginnings = (
        "ok ", "   ", "talking.py: ", "verdict ", "pass ", "error and limit", "output's scale", "floors",
        "promise", "  verdict", "  pass", "from the filtered input", "attenuation", "searched for", "runtime",
        "the model itself", "and the same", "traced", "goldens see", "note: ", "default", "built b: 22 checks passed",
    )  # fmt: skip
    assert [line for line in seen.lines if line and not line.startswith(beginnings)] == []
    rows = [line.split() for line in seen.lines if line.startswith("pass ")]
    assert len(rows) == 5
    assert all(re.fullmatch(r"\d\.\de-\d\d", figure) for row in rows for figure in row[3:5])
    assert re.search(r"\d:\d\d elapsed, about \d:\d\d left", seen.raw), "the bar says how long it takes"
    got = piped(("build", "talking.py:net", "--out", "b", "--formats", "keras"), place, width)
    assert all(line in got.stderr.splitlines() for line in own), "a pipe gets the same"
    assert "talking.py" not in got.stdout


def test_localise_in_a_narrow_terminal_is_whole(place):
    seen = shown("localise", "lowpass", "--runtime", "onnxruntime", width=60, cwd=place)
    assert seen.code == 0, seen.raw
    require_whole(seen.lines, 60)
    assert "artifact 1 of 1" in " ".join(seen.raw.split())
    assert any(re.match(r"  pass +filtered .*e-\d\d .*e-\d\d", line) for line in seen.lines)


def test_a_search_tells_every_second_how_far_it_is_and_ctrl_c_ends_it_with_a_report(place):
    arguments = ("verify", "lowpass", "--runtime", "onnxruntime", "--search", "60s")
    seen = shown(*arguments, width=80, cwd=place, press_after=r"elapsed, about 0:5\d left")
    text = " ".join(" ".join(seen.lines).split())  # where a line is broken depends on the number of digits
    assert seen.code == 130, seen.raw
    assert re.search(r"searching for the worst inputs: 60 s, [\d,]+ inputs, worst [\d.]+ of the limit", text)
    assert "interrupted: the search ends, and reports what it has found" in text
    assert re.search(r"pass +model.onnx +onnxruntime +[\d.]+ +[\d,]+", text), "what was found is shown"
    assert re.search(r"note: the search was interrupted: [\d,]+ inputs were tried of a budget of 60 s", text)
    moments = [moment for moment, _ in seen.pieces]
    assert max(later - earlier for earlier, later in itertools.pairwise(moments)) < 1.5


def test_every_command_says_something_before_it_imports_a_library(place):
    def first(command):
        began = time.monotonic()
        with subprocess.Popen(command, cwd=place, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
            assert process.stdout.read(1)
            took = time.monotonic() - began
            process.kill()
        return took

    kexport = (sys.executable, "-m", "kexport")
    python = min(first((sys.executable, "-c", "import click; print(1)")) for _ in range(3))
    limit = max(2.0, 6 * python)  # on a machine that does something else as well; TensorFlow alone takes longer
    for arguments in (
        ("build", "lowpass"),
        ("localise", "lowpass"),
        *map(QUICK.get, ("verify", "compare", "run", "all")),
    ):
        assert min(first((*kexport, *arguments)) for _ in range(3)) < limit, arguments
    for name in ("inspect", "inspect_file", "list", "doctor"):  # in a pipe these have nothing to say but their results
        assert min(shown(*QUICK[name], width=80, cwd=place).pieces[0][0] for _ in range(2)) < limit, name
