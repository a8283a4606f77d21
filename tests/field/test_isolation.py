"""A model that a process of its own serves."""

import gc
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import warnings

import numpy as np
import pytest

import kexport
from conftest import REFERENCE
from kexport.errors import ArtifactError, InputError, ProcessDiedError, UncheckedError, UsageError

LOWPASS = REFERENCE / "lowpass"
X = np.linspace(-5, 5, 64, dtype="float32")[None]


@pytest.fixture(scope="module")
def plain():
    return kexport.load(LOWPASS, "litert")


@pytest.fixture
def model():
    with kexport.load(LOWPASS, "litert", isolated=True) as model:
        yield model


def worker_of(model):
    return model.opened.close.__self__._worker


def pid_of(model):
    return worker_of(model)._process.pid


def gone(pid, seconds=5.0):
    """Whether the process ends soon; a zombie has ended."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            with open(f"/proc/{pid}/stat") as file:
                if file.read().rpartition(")")[2].split()[0] == "Z":
                    return True
        except FileNotFoundError:
            return True
        time.sleep(0.02)
    return False


def killed(model):
    os.kill(pid_of(model), signal.SIGKILL)
    worker_of(model)._process.wait()


def killed_during_the_call(model):
    os.kill(pid_of(model), signal.SIGSTOP)
    alarm = threading.Timer(0.2, os.kill, (pid_of(model), signal.SIGKILL))
    alarm.start()
    with pytest.raises(ProcessDiedError) as death:
        model(X)
    return str(death.value)


def test_it_answers_as_the_model_in_this_process_does(model, plain):
    assert (model.runtime, model.signature) == (plain.runtime, plain.signature)
    for width in (1, 64, 100_000):
        question = np.linspace(-5, 5, width, dtype="float32")[None]
        answer = model(question)
        assert np.array_equal(answer, plain(question))
        assert answer.flags.writeable
    strided = np.asfortranarray(np.linspace(-5, 5, 40, dtype="float32").reshape(4, 10))[:, ::2]
    assert np.array_equal(model({"signal": strided})["filtered"], plain(strided))


def test_bad_input_is_refused_as_usual(model):
    with pytest.raises(InputError, match="wrong dtype"):
        model(X.astype("float64"))


def test_threads_get_their_own_answers(model, plain):
    wrong = []

    def ask(number):
        question = X * number
        for _ in range(50):
            same = np.array_equal(model(question), plain(question))
            wrong.extend([number] * (not same))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_death_during_a_call_is_an_error_and_the_next_call_starts_it_again(model, plain):
    assert "SIGKILL" in killed_during_the_call(model)
    assert np.array_equal(model(X), plain(X))


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_death_between_calls_costs_nothing(model, plain):
    killed(model)
    assert np.array_equal(model(X), plain(X))


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_lost_state_is_not_replaced(reference):
    manifest = reference / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"name"', '"stateful": true,\n  "name"', 1))
    with kexport.load(reference, "litert", isolated=True) as model:
        model(X)
        killed(model)
        for _ in range(2):
            with pytest.raises(ProcessDiedError, match="the state of the model"):
                model(X)


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_closing_ends_the_process_and_the_call_it_serves(model):
    pid = pid_of(model)
    os.kill(pid, signal.SIGSTOP)
    threading.Timer(0.2, model.close).start()
    with pytest.raises(UsageError, match="was closed during the call"):
        model(X)
    assert gone(pid)
    model.close()
    with pytest.raises(UsageError, match="is closed"):
        model(X)


@pytest.mark.skipif(not os.path.exists("/proc"), reason="no /proc here")
def test_a_forgotten_model_leaves_no_process():
    model = kexport.load(LOWPASS, "litert", isolated=True)
    pid = pid_of(model)
    del model
    gc.collect()
    assert gone(pid)


@pytest.mark.skipif(not os.path.exists("/proc"), reason="no /proc here")
def test_the_process_ends_with_its_parent_even_in_the_middle_of_a_call():
    script = f"""
import os, signal, time, kexport
model = kexport.load({str(LOWPASS)!r}, "litert", isolated=True)
worker = model.opened.close.__self__._worker
worker.submit("signal:pause")
time.sleep(0.5)
print(worker._process.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert gone(int(done.stdout)), done.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_process_gets_its_own_and_leaves_its_parents_alone():
    script = f"""
import os, sys, numpy as np, kexport
X = np.ones((1, 64), "float32")
model = kexport.load({str(LOWPASS)!r}, "litert", isolated=True)
answer = model(X)
child = os.fork()
if not child:
    same = np.array_equal(model(X), answer)
    model.close()
    sys.exit(0 if same else 5)
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
sys.exit(status or (0 if np.array_equal(model(X), answer) else 6))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_a_pickle_of_it_is_served_from_a_process_too(model, plain):
    with pickle.loads(pickle.dumps(model)) as other:
        assert np.array_equal(other(X), plain(X))
        assert pid_of(other) != pid_of(model)


def test_a_changed_artifact_is_refused_before_any_process_starts(reference):
    (reference / "model.tflite").write_bytes(b"")
    with pytest.raises(ArtifactError, match="not the file"):
        kexport.load(reference, "litert", isolated=True)


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_an_interrupted_call_does_not_answer_the_next_one(model, plain):
    os.kill(pid_of(model), signal.SIGSTOP)
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    threading.Timer(0.2, signal.pthread_kill, (threading.main_thread().ident, signal.SIGINT)).start()
    try:
        with pytest.raises(KeyboardInterrupt):
            model(X)
    finally:
        signal.signal(signal.SIGINT, handler)
    assert np.array_equal(model(2 * X), plain(2 * X))


def test_a_process_that_cannot_be_started_is_an_error(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    with pytest.raises(UncheckedError, match=r"cannot be started(.|\n)*ulimit -n"):
        kexport.load(LOWPASS, "litert", isolated=True)


def test_its_process_is_confined(model):
    confinement = worker_of(model)._confinement
    assert confinement is not None
    assert confinement.cut_off


def test_nothing_is_left_open(plain):
    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        with kexport.load(LOWPASS, "litert", isolated=True) as model:
            assert np.array_equal(model(X), plain(X))
        del model
        gc.collect()
