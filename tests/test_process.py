import numpy as np
import pytest

from kexport.bundle import packed_arrays
from kexport.errors import BundleError
from kexport.field.trust import NO_TRUST
from kexport.process import Worker, WorkerCrashError


@pytest.fixture
def worker():
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
    with pytest.raises(BundleError, match="cannot be loaded by onnxruntime"):
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
