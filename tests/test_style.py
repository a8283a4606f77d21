"""Linters and types, as part of the one test command: those of the pre-commit configuration, and our own rules."""

import ast
import os
import shlex
import subprocess
import sys

import pytest
import yaml

from conftest import ROOT

HOOKS = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
IN_THE_ENVIRONMENT = "python3 scripts/with_env.py "


def test_every_hook_runs_in_the_environment_of_the_project():
    assert {hook["id"] for hook in HOOKS} == {"ruff-check", "ruff-format", "mypy"}
    for hook in HOOKS:
        assert hook["entry"].startswith(IN_THE_ENVIRONMENT)
        assert (hook["language"], hook["pass_filenames"]) == ("system", False)


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_the_code_is_clean(hook):
    command = [sys.executable, "-m", *shlex.split(hook["entry"].removeprefix(IN_THE_ENVIRONMENT))]
    environment = {**os.environ, "RUFF_NO_CACHE": "true", "MYPY_CACHE_DIR": os.devnull}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr


#: What compares with a tolerance that somebody guessed; `kexport.testing.closeness` derives it from the precision.
GUESSING = {
    "allclose", "approx", "assert_allclose", "assert_almost_equal", "assert_approx_equal", "assert_array_almost_equal",
    "isclose",
}  # fmt: skip


def guessed_tolerances(code: str) -> list[int]:
    """The lines that compare numbers with a guessed tolerance, by such a function or by hand."""
    lines = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Call) and _name(node.func) in GUESSING:
            lines.append(node.lineno)
        elif isinstance(node, ast.Assert):
            compared = [each for each in ast.walk(node.test) if isinstance(each, ast.Compare)]
            lines += [each.lineno for each in compared if _is_a_distance(each.left) and _is_less(each.ops[0])]
    return lines


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _is_less(operator: ast.cmpop) -> bool:
    return isinstance(operator, ast.Lt | ast.LtE)


def _is_a_distance(side: ast.expr) -> bool:
    """Whether it has the absolute value of a difference in it, as in `np.abs(a - b).max()`."""
    calls = [each for each in ast.walk(side) if isinstance(each, ast.Call) and _name(each.func) in ("abs", "absolute")]
    inside = [each for call in calls for each in ast.walk(call.args[0])]
    return any(isinstance(each, ast.BinOp) and isinstance(each.op, ast.Sub) for each in inside)


@pytest.mark.parametrize(
    ("code", "guessed"),
    [
        ("np.testing.assert_allclose(a, b, rtol=1e-5)", True),
        ("assert a == pytest.approx(b)", True),
        ("assert np.abs(a - b).max() < 1e-5", True),
        ("assert (abs(a - b) <= 8 * EPSILON).all()", True),
        ("assert_close(a, b, ulps=8)", False),
        ("assert np.abs(a).max() < 5", False),
        ("assert np.abs(a - b).max() > 0.1", False),
    ],
)
def test_a_guessed_tolerance_is_seen(code, guessed):
    assert bool(guessed_tolerances(code)) is guessed


def test_no_two_files_of_tests_have_one_name():
    """Pytest imports them by their bare names."""
    names = [path.name for path in (ROOT / "tests").rglob("*.py")]
    assert sorted(names) == sorted(set(names))


def test_closeness_is_measured_in_units_in_the_last_place():
    lines = {str(path): guessed_tolerances(path.read_text()) for path in (ROOT / "tests").rglob("*.py")}
    assert {path: numbers for path, numbers in lines.items() if numbers} == {}
