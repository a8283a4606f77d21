"""The tutorials are true: every file is written and every command is typed as they say, and answers as they show."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT

FENCES = re.compile(r"^```(python|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FIGURE = re.compile(r"\b[0-9a-f]{16}\.\.\.|[-+]?\d[\d.,]*(?:e[-+]?\d+)?")
EXIT = re.compile(r"   # exit (\d+)$")


def shape_of(line: str) -> list[str]:
    """The words of a line; figures, which differ from machine to machine, count as one word."""
    return FIGURE.sub("#", line).split()


def steps(console: str) -> list[tuple[str, int, list[str]]]:
    """Each command of a block, with the exit code and the lines that the page shows for it."""
    found: list[tuple[str, int, list[str]]] = []
    for line in console.splitlines():
        if line.startswith("$ "):
            code = EXIT.search(line)
            found.append((EXIT.sub("", line[2:]), int(code[1]) if code else 0, []))
        else:
            found[-1][2].append(line)
    return found


def missing(shown: list[str], output: str) -> list[str]:
    """The lines of the page that the output does not have, in this order."""
    printed = iter([shape_of(line) for line in output.splitlines()])
    return [line for line in shown if line != "..." and shape_of(line) and shape_of(line) not in printed]


@pytest.mark.parametrize("name", ["training", "device", "ci"])
def test_every_step_of_a_tutorial_runs_as_it_says(name, tmp_path):
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -p no:cacheprovider\n")
    typed = 0
    for language, text in FENCES.findall((ROOT / "docs" / f"tutorial_{name}.md").read_text()):
        if language == "python":
            (tmp_path / text.partition("\n")[0].removeprefix("# ")).write_text(text)
            continue
        for command, code, shown in steps(text):
            ended = subprocess.run(
                ["bash", "-c", command], cwd=tmp_path, env={**environment, "COLUMNS": "120"}, stdin=subprocess.DEVNULL,
                capture_output=True, text=True, timeout=300,
            )  # fmt: skip
            assert ended.returncode == code, f"{command}\n{ended.stdout}{ended.stderr}"
            assert missing(shown, ended.stdout) == [], f"{command}\n{ended.stdout}{ended.stderr}"
            typed += 1
    assert typed > 5


def test_a_line_that_is_not_printed_is_missed():
    assert missing(["pass  a  1.5"], "verdict\n  pass a 2.5e-07\n") == []
    assert missing(["pass  b  1.5"], "pass a 1.5\n") == ["pass  b  1.5"]
    assert missing(["second", "first"], "first\nsecond\n") == ["first"], "they come in this order"
    assert steps("$ false   # exit 1\nout\n$ true\n") == [("false", 1, ["out"]), ("true", 0, [])]
