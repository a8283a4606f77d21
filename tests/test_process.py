import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from kexport.bundle import packed_arrays
from kexport.errors import KexportError, ModelError
from kexport.field.trust import NO_TRUST
from kexport.process import Worker, WorkerCrashError


@pytest.fixture
def worker(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]))
    worker = Worker()
    yield worker
    worker.close()


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


def test_code_that_asks_a_question_gets_no_task_for_an_answer(worker):
    with pytest.raises(RuntimeError, match="EOFError"):
        worker.run("builtins:input")
    assert worker.run("builtins:dict", a=1) == ["a"]


STARTING = """
import time
from kexport.process import Worker
workers = Worker(), Worker(fork=True)
for worker in workers:
    worker.submit("time:sleep" if worker is workers[0] else "signal:pause")
print(workers[0]._process.pid, workers[1]._process._pid, flush=True)
time.sleep(60)
"""


def test_no_worker_outlives_a_killed_parent_whatever_it_is_doing():
    with subprocess.Popen([sys.executable, "-c", STARTING], stdout=subprocess.PIPE, text=True) as parent:
        workers = [int(text) for text in parent.stdout.readline().split()]
        parent.kill()
    until = time.monotonic() + 2
    while left := [number for number in workers if _runs(number)]:
        assert time.monotonic() < until, left
        time.sleep(0.01)


def _runs(number):
    try:
        return Path(f"/proc/{number}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False
