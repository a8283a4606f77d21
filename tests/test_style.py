"""Linters and types, as part of the one test command: those of the pre-commit configuration."""

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
