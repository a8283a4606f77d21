"""Temporary folders: removed at the end, also those that a killed process has left behind, and no others."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from kexport import scratch
from kexport.errors import UncheckedError
from kexport.scratch import own_temporaries, temporary_folder

HOLDER = """
import sys, time
from kexport.scratch import temporary_folder
with temporary_folder(in_memory=sys.argv[1] == "memory") as folder:
    print(folder, flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("where", ["memory", "disk"])
def test_what_a_killed_process_left_is_removed_by_the_next_one_and_what_a_live_one_uses_is_not(where):
    command = [sys.executable, "-c", HOLDER, where]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as one,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as two,
    ):
        dead, live = (Path(each.stdout.readline().strip()) for each in (one, two))
        one.kill()
        one.wait()
        assert dead.exists()
        with temporary_folder(in_memory=where == "memory") as folder:
            assert not dead.exists()
            assert live.exists()
            assert folder.parent == live.parent
            with temporary_folder(in_memory=where == "memory"):
                assert folder.exists()
        assert not folder.exists()
        two.kill()


def test_where_no_folder_can_be_written_the_error_says_so(monkeypatch):
    def none():
        raise FileNotFoundError("No usable temporary directory")

    monkeypatch.setattr(tempfile, "gettempdir", none)
    monkeypatch.setattr(scratch, "_MEMORY", Path("/none"))
    with pytest.raises(UncheckedError, match="TMPDIR"), temporary_folder():
        pass
    with own_temporaries():
        assert tempfile.tempdir != ""


def test_a_small_memory_is_not_filled(monkeypatch):
    monkeypatch.setattr(scratch, "_ROOMY", 1 << 60)
    with temporary_folder(in_memory=True) as folder:
        assert folder.parent == Path(tempfile.gettempdir())


def test_what_libraries_leave_goes_with_the_block():
    with own_temporaries():
        left = Path(tempfile.mkdtemp())
        assert str(left).startswith(os.environ["TMPDIR"])
        held, name = tempfile.mkstemp()
        os.close(held)
    assert not left.exists()
    assert not Path(name).exists()
    assert not str(tempfile.gettempdir()).startswith(str(left.parent))
