"""A runtime in another process: what goes there comes back, and a process that dies is started again."""

import numpy as np
import pytest

from conftest import REFERENCE
from kexport import runtimes
from kexport.bundle.folder import Bundle
from kexport.field.remote import ArtifactSource, RemoteSession, RuntimeFailedError
from kexport.field.workers import RestartingWorker
from kexport.testing.closeness import assert_close

SIGNAL = {"signal": np.full((2, 9), 3.0, "float32")}


@pytest.fixture
def lane():
    lane = RestartingWorker("ai_edge_litert")
    yield lane
    lane.close()


def source(runtime):
    bundle = Bundle.open(REFERENCE / "lowpass")
    return ArtifactSource(bundle.path, "model.tflite", runtimes.get(runtime), bundle.signature)


@pytest.fixture
def two(lane, tmp_path):
    names = ("litert", "litert_reference")
    return [RemoteSession(source(name), lane, tmp_path) for name in names]


def middle(outputs):
    (found,) = outputs
    return float(found["filtered"][0, 4])


def kill(lane):
    lane._worker._process.kill()


def test_calls_come_back_in_their_order(two):
    calls = [{"signal": np.full((1, 5), float(n), "float32")} for n in range(4)]
    found = [float(each["filtered"][0, 2]) for each in two[0].run(calls)]
    assert_close(found, [0, 1, 2, 3], dtype="float32")


def test_two_runtimes_of_one_process_do_not_mix_their_answers(two):
    one, other = two
    one.start([SIGNAL])
    other.start([{"signal": SIGNAL["signal"] * 2}])
    assert_close(middle(one.finish()), 3, dtype="float32")
    assert_close(middle(other.finish()), 6, dtype="float32")


def test_both_runtimes_of_a_process_that_dies_run_again(lane, two):
    for _ in range(2):
        for remote in two:
            remote.start([SIGNAL])
        kill(lane)
        assert_close([middle(remote.finish()) for remote in two], 3, dtype="float32")


def test_a_runtime_that_kills_its_process_each_time_fails_alone(lane, two, monkeypatch):
    deadly, innocent = two
    submit = RemoteSession._submit

    def submitted(self):
        submit(self)
        if self is deadly:
            kill(lane)

    monkeypatch.setattr(RemoteSession, "_submit", submitted)
    for remote in two:
        remote.start([SIGNAL])
    with pytest.raises(RuntimeFailedError, match="SIGKILL") as failed:
        deadly.finish()
    assert failed.value.remote is deadly
    assert_close(middle(innocent.finish()), 3, dtype="float32")


def test_what_a_runtime_raises_is_told_and_it_can_be_asked_again(two):
    remote = two[0]
    with pytest.raises(RuntimeFailedError, match="wrong dtype"):
        remote.run([{"signal": np.ones((1, 5))}])
    assert_close(middle(remote.run([SIGNAL])), 3, dtype="float32")


def test_a_session_in_this_process_answers_as_one_elsewhere(two, tmp_path):
    (tmp_path / "here").mkdir()
    here = RemoteSession(source("litert"), None, tmp_path / "here")
    np.testing.assert_array_equal(here.run([SIGNAL])[0]["filtered"], two[0].run([SIGNAL])[0]["filtered"])
    assert_close(middle(here.run([SIGNAL], fresh=True)), 3, dtype="float32")


def test_a_closed_lane_leaves_no_process(lane, two):
    two[0].run([SIGNAL])
    kill(lane)
    two[0].run([SIGNAL])
    workers = [lane._worker, *lane._dead]
    assert len(workers) == 2
    lane.close()
    assert not any(worker.alive for worker in workers)
