import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from kexport import process
from kexport.bundle import packed_arrays
from kexport.errors import KexportError, ModelError, UsageError
from kexport.field.trust import NO_TRUST
from kexport.fork_server import ForkServer
from kexport.process import Worker, WorkerCrashError


@pytest.fixture(params=["a new process", "a fork of a server"])
def worker(monkeypatch, request):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]))
    with contextlib.ExitStack() as stack:
        server = None
        if request.param == "a fork of a server":
            server = stack.enter_context(contextlib.closing(ForkServer([], process.worker_environment())))
        yield stack.enter_context(contextlib.closing(Worker(server=server)))


def test_a_crash_in_a_worker_is_an_error_with_the_name_of_the_signal(worker):
    with pytest.raises(WorkerCrashError, match="SIGABRT"):
        worker.run("os:abort")


def test_a_worker_that_takes_too_long_is_ended(worker):
    with pytest.raises(WorkerCrashError, match=r"longer than 0\.5 s"):
        worker.run("signal:pause", timeout=0.5)
    assert not worker.alive


def test_an_error_raised_on_purpose_arrives_as_itself(worker):
    own = {"path": __file__, "name": "onnxruntime", "trust": NO_TRUST.to_json()}
    with pytest.raises(KexportError, match="is not a sound ONNX file"):
        worker.run("kexport.field.inspection:serve", **own)
    assert worker.alive


def test_a_bug_in_a_worker_arrives_with_its_traceback(worker):
    with pytest.raises(RuntimeError, match="TypeError"):
        worker.run("math:sqrt")


def test_bytes_go_to_a_worker_and_come_back(worker):
    arrays = [np.arange(100_000, dtype="float32")]
    worker.submit_bytes(f"{__name__}:halves", packed_arrays.chunks(arrays))
    first, between, second = worker.results()
    assert between == "between"
    assert bytes(first + second) == arrays[0].tobytes()


def halves(payload):
    middle = len(payload) // 2
    yield payload[:middle]
    yield "between"
    yield payload[middle:]


def test_code_that_ends_its_process_is_an_error_and_the_worker_lives(worker):
    with pytest.raises(ModelError, match="ends the process"):
        worker.run("sys:exit")
    assert worker.alive


def import_failure(worker, folder, code, timeout=50):
    """What a worker says of an import with this code."""
    (folder / "ends.py").write_text(f"import contextlib, os, threading, time\n{code}\n")
    worker.submit("kexport.user_code:run_imports", names=[str(folder / "ends.py")])
    with pytest.raises(UsageError) as failure:
        list(worker.results(timeout))
    return failure.value


@pytest.mark.parametrize("end", [
    "os._exit(0)", "raise GeneratorExit", "os.fork() or time.sleep(60); os._exit(3)",
    "threading.Thread(target=time.sleep, args=(60,)).start(); raise SystemExit",
])  # fmt: skip
def test_an_import_that_ends_its_process_is_an_error_and_the_worker_lives(worker, tmp_path, end):
    assert "ends.py:2" in str(import_failure(worker, tmp_path, end))
    assert worker.run("builtins:dict", a=1) == ["a"]


@pytest.mark.parametrize(("end", "words"), [
    ("os.abort()", "SIGABRT"),
    ("os.fork() or time.sleep(60); os.abort()", "SIGABRT"),
    ("os.execv('/bin/sleep', ['sleep', '60'])", "closed or overwrote its streams"),
    ("os.closerange(3, 99); time.sleep(60)", "closed or overwrote its streams"),
    ("for n in range(3, 9):\n with contextlib.suppress(OSError): os.write(n, b'a\\n')", "closed or overwrote"),
])  # fmt: skip
def test_an_import_that_takes_its_process_with_it_is_named(worker, tmp_path, monkeypatch, end, words):
    monkeypatch.setattr(process, "_LAST_BREATH", 0.2)
    error = import_failure(worker, tmp_path, end)
    assert error.subject == f"--import {tmp_path / 'ends.py'} failed"
    assert words in str(error)
    assert not worker.alive


def test_an_import_that_does_not_end_is_named(worker, tmp_path):
    assert "longer than 1 s" in str(import_failure(worker, tmp_path, "time.sleep(60)", timeout=1))


def test_an_interrupt_that_the_code_of_a_model_raises_is_an_error(worker, tmp_path):
    with pytest.raises(ModelError, match="KeyboardInterrupt"):
        worker.run(f"{__name__}:interrupted")
    assert worker.alive


def interrupted():
    raise KeyboardInterrupt


def test_code_that_asks_a_question_gets_no_task_for_an_answer(worker):
    with pytest.raises(RuntimeError, match="EOFError"):
        worker.run("builtins:input")
    assert worker.run("builtins:dict", a=1) == ["a"]


STARTING = """
import os, time
from kexport.process import Worker
workers = Worker(), Worker(fork=True), Worker()
for worker in workers[:2]:
    worker.run("builtins:dict", a=1)  # it serves: only then does it lead a group
    worker.submit("signal:pause")
workers[2].submit("subprocess:Popen", args=["sleep", "60"])
try:
    list(workers[2].results())
except RuntimeError:
    pass  # the result is no list
if os.fork() == 0:  # must keep no worker alive
    time.sleep(10)
    os._exit(0)
print(workers[0]._process.pid, workers[1]._process._pid, workers[2]._process.pid, flush=True)
time.sleep(60)
"""


def test_no_worker_outlives_a_killed_parent_whatever_it_is_doing_nor_does_what_it_started():
    with subprocess.Popen([sys.executable, "-c", STARTING], stdout=subprocess.PIPE, text=True) as parent:
        workers = {int(text) for text in parent.stdout.readline().split()}
        assert len(running(workers)) == 4  # one has started another program
        parent.kill()
    until = time.monotonic() + 2
    while left := running(workers):
        assert time.monotonic() < until, left
        time.sleep(0.01)


def running(groups):
    """The processes of these groups that still run."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, group, *_ = path.read_text().rpartition(")")[2].split()
            if state != "Z" and int(group) in groups:
                found.append(path.parent.name)
    return found
