"""Some kills of a fixed seed, and commands in the oddest places; by hand, the scripts go further."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from conftest import ROOT

sys.path.insert(0, str(ROOT / "scripts"))
import environments

ODDEST = ("read-only everywhere", "another user", "12 open files", "300 MB of memory", "all streams closed")


@pytest.mark.parametrize(("count", "what"), [("30", ()), ("12", ("--readers",))])
def test_commands_killed_at_random_moments_leave_whole_bundles_true_messages_and_nothing_else(count, what):
    command = [sys.executable, ROOT / "scripts" / "kills.py", "--count", count, "--seed", "13", *what]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{count} kills, 0 faults" in done.stdout


@pytest.mark.parametrize("name", ODDEST)
def test_commands_work_in_odd_places_or_say_what_is_wrong(tmp_path, name):
    place = next(each for each in environments.places() if each.name == name)
    if place.root and os.getuid() != 0:
        pytest.skip("only root can prepare the place")
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:  # pytest's own is closed to other users
        Path(folder).chmod(0o755)
        tour = environments.Tour(Path(folder), [sys.executable, "-m", "kexport"])
        words = {name: environments.COMMANDS[name] for name in ("run", "verify")}
        assert [finding for name, each in words.items() for finding in tour.visit(place, name, each)] == []


def test_a_place_in_which_a_command_does_something_else_is_found(tmp_path):
    place = environments.Place("a wrong expectation", "echo 'Traceback'; echo $'\\x1b' > home/x", {"*": 4})
    found = environments.Tour(tmp_path, ["bash", "-c", "exit 5"]).visit(place, "run", [])
    assert [finding.words.split()[0] for finding in found] == ["exit", "a", "exit", "the"]
