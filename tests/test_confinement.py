"""A confined process computes and writes into its folder; more than that, or without end, it cannot do."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import kexport
from conftest import REFERENCE
from kexport.confinement import Confinement, landlock, limited, limits, seccomp
from kexport.errors import UncheckedError
from kexport.process import Worker, WorkerLimitError

ATTEMPTS = f"{Path(__file__).stem}:attempt"
needs_landlock = pytest.mark.skipif(not landlock.version(), reason="this kernel has no Landlock")
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux times one thread")
needs_seccomp = pytest.mark.skipif(not seccomp.known(), reason="no seccomp filter for this machine")


def attempt(what, path):
    """What a worker is asked to do; yields what came of it."""
    actions = {
        "write": lambda: Path(path).write_text("here"),
        "remove": lambda: Path(path).unlink(),
        "truncate": lambda: os.truncate(path, 0),
        "folder": lambda: Path(path).mkdir(),
        "link": lambda: Path(path).symlink_to("/etc"),
        "read": lambda: len(Path(path).read_bytes()),
        "connect": lambda: socket.create_connection(("127.0.0.1", 9)),
        "datagram": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
        "local socket": lambda: socket.socket(socket.AF_UNIX),
        "program": lambda: subprocess.run([sys.executable, "-c", ""], check=True),
        "kill the parent": lambda: os.kill(os.getppid(), 0),
        "memory": lambda: bytearray(8 * 2**30)[-1],
        "numpy": lambda: float(np.ones(2**30).sum()),
    }
    try:
        actions[what]()
        yield "done"
    except (OSError, MemoryError) as error:
        yield type(error).__name__


def spin(cores=None):
    """A call that does not end, on one thread of this machine or one with so many cores."""
    with pytest.MonkeyPatch.context() as patch:
        if cores is not None:
            patch.setattr(os, "cpu_count", lambda: cores)
        with limited():
            while True:
                pass


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("own")


@pytest.fixture(scope="module")
def confined(folder):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]))
        worker = Worker(confinement=Confinement.of(1000, 1000, str(folder)))
    yield worker
    worker.close()


@pytest.fixture
def outside(tmp_path):
    file = tmp_path / "file"
    file.write_text("keep")
    return file


@needs_landlock
@pytest.mark.parametrize("what", ["write", "remove", "truncate"])
def test_files_outside_of_its_folder_stay_as_they_are(confined, outside, what):
    assert confined.run(ATTEMPTS, what=what, path=str(outside)) == ["PermissionError"]
    assert outside.read_text() == "keep"


@needs_landlock
@pytest.mark.parametrize("what", ["write", "folder", "link"])
def test_nothing_is_made_outside_of_its_folder(confined, tmp_path, what):
    assert confined.run(ATTEMPTS, what=what, path=str(tmp_path / "new")) == ["PermissionError"]
    assert list(tmp_path.iterdir()) == []


def test_it_writes_into_its_folder_and_reads_elsewhere(confined, folder, outside):
    assert confined.run(ATTEMPTS, what="write", path=str(folder / "result")) == ["done"]
    assert confined.run(ATTEMPTS, what="write", path=os.devnull) == ["done"]
    assert confined.run(ATTEMPTS, what="read", path=str(outside)) == ["done"]


@needs_seccomp
@pytest.mark.parametrize("what", ["connect", "datagram", "local socket", "program"])
def test_it_has_no_network_and_starts_no_program(confined, what):
    assert confined.run(ATTEMPTS, what=what, path="") == ["PermissionError"]


@pytest.mark.skipif(landlock.version() < 6, reason="this kernel lets it")
def test_it_sends_no_signal_to_its_parent(confined):
    assert confined.run(ATTEMPTS, what="kill the parent", path="") == ["PermissionError"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts what is allocated")
@pytest.mark.parametrize("what", ["memory", "numpy"])
def test_it_gets_no_more_memory_than_its_limit(confined, what):
    (answer,) = confined.run(ATTEMPTS, what=what, path="")
    assert answer.endswith("MemoryError")


def test_what_is_not_confined_may_do_all_that(monkeypatch, tmp_path):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]))
    worker = Worker()
    try:
        for what, path in (("write", tmp_path / "new"), ("datagram", ""), ("program", "")):
            assert worker.run(ATTEMPTS, what=what, path=str(path)) == ["done"]
    finally:
        worker.close()


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timer of processor time")
@pytest.mark.parametrize("cores", [None, pytest.param(1000, marks=needs_linux)])
def test_a_call_without_end_is_ended_with_the_reason(monkeypatch, folder, cores):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]))
    worker = Worker(confinement=Confinement((str(folder),), 2**31, 0.1))
    try:
        with pytest.raises(WorkerLimitError, match="--max-seconds"):
            worker.run(f"{Path(__file__).stem}:spin", timeout=60, cores=cores)
    finally:
        worker.close()


def test_a_library_that_gets_no_memory_is_no_fault_of_the_model(monkeypatch):
    monkeypatch.setattr(limits, "_current", Confinement((), 2**31, 100.0))
    for error in (MemoryError(), RuntimeError("std::bad_alloc"), ValueError("OOM when allocating tensor")):
        with pytest.raises(UncheckedError, match=r"2\.0 GB"), limited():
            raise error
    with pytest.raises(ValueError, match="other"), limited():
        raise ValueError("other")


def test_limits_grow_with_the_model():
    small, large = Confinement.of(10**3, 10**3), Confinement.of(10**9, 10**6)
    assert large.memory > small.memory + 8 * 10**9
    assert large.seconds > small.seconds + 100


def test_a_system_that_cannot_confine_is_named_in_the_report(monkeypatch):
    monkeypatch.setattr(landlock, "version", lambda: 0)
    monkeypatch.setattr(seccomp, "known", lambda: False)
    report = kexport.verify(REFERENCE / "scaled", ["onnxruntime"])
    assert report.passed
    assert any("write files or use the network" in str(note) for note in report.notes)
    trusted = kexport.verify(REFERENCE / "scaled", ["onnxruntime"], trust=True)
    assert not any("write files" in str(note) for note in trusted.notes)


@needs_landlock
def test_a_fork_is_confined_too(folder, tmp_path):
    """In a process of its own: a fork of one that has threads may not work."""
    code = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from kexport.confinement import Confinement
from kexport.process import Worker
worker = Worker(fork=True, confinement=Confinement.of(1000, 1000, {str(folder)!r}))
print(worker.run({ATTEMPTS!r}, what="write", path={str(tmp_path / "new")!r}))
worker.close()
"""
    environment = {**os.environ, "TMPDIR": str(folder)}
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert ran.stdout.strip() == "['PermissionError']"
    assert not (tmp_path / "new").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts what is allocated")
def test_what_was_confined_before_sizes_were_known_is_narrowed_and_no_more(monkeypatch, folder, outside):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]))
    worker = Worker(confinement=Confinement((str(folder),), 1 << 50, 1e9))
    try:
        assert worker.run(ATTEMPTS, what="memory", path="") == ["done"]
        worker.narrow(Confinement((str(outside.parent),), 2**31, 0.1))
        assert worker.run(ATTEMPTS, what="memory", path="") == ["MemoryError"]
        if landlock.version():
            assert worker.run(ATTEMPTS, what="write", path=str(outside)) == ["PermissionError"], "nothing is widened"
        with pytest.raises(WorkerLimitError, match="--max-seconds"):
            worker.run(f"{Path(__file__).stem}:spin")
    finally:
        worker.close()
