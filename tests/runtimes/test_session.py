"""Sessions: from several threads, closed, pickled, copied, and in a forked process."""

import copy
import os
import pickle
import shutil
import signal
import subprocess
import sys
import threading
import time
import weakref

import numpy as np
import pytest

import kexport
from conftest import REFERENCE
from kexport import runtimes
from kexport.bundle.signature import Signature, TensorSpec
from kexport.errors import ArtifactError, BundleError, UsageError
from kexport.runtimes import Opened, Session

LOWPASS = REFERENCE / "lowpass"
NATIVE = ("onnxruntime", "litert", "litert_reference")
THREADS = 8
X = np.linspace(-5, 5, 64, dtype="float32")[None]


@pytest.fixture(params=NATIVE)
def model(request):
    return kexport.load(LOWPASS, request.param)


@pytest.fixture
def hasty():
    """Threads take turns as often as they can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def in_threads(act):
    """Have each thread call the function with its number; the exceptions that were raised."""
    errors = []

    def guarded(number):
        try:
            act(number)
        except Exception as error:  # noqa: BLE001  all of them are counted
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


def declared():
    return Signature((TensorSpec("x", "float32", (None,)),), (TensorSpec("y", "float32", (None,)),))


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize(("name", "calls"), [*((name, 400) for name in NATIVE), ("saved_model", 40), ("keras", 10)])
def test_each_thread_gets_the_answer_to_its_own_question(name, calls):
    model = kexport.load(LOWPASS, name)
    questions = [(X * number / THREADS)[:, : 20 + number % 2] for number in range(THREADS)]
    answers = [model(question).copy() for question in questions]
    wrong = []

    def ask(number):
        for _ in range(calls):
            answer = model(questions[number])
            wrong.extend([number] * (not np.array_equal(answer, answers[number])))

    assert in_threads(ask) == []
    assert wrong == []


@pytest.mark.usefixtures("hasty")
def test_state_between_calls_is_that_of_one_call_after_another():
    total = np.zeros(1, "float32")

    def run(arrays):
        before = total.copy()
        time.sleep(0)  # another thread's turn
        total[:] = before + arrays[0]
        return [total.copy()]

    session = Session("counter", declared(), Opened(run, (), ("y",)))
    seen = []
    assert in_threads(lambda _: seen.extend(float(session(np.ones(1, "float32"))[0]) for _ in range(200))) == []
    assert sorted(seen) == list(range(1, THREADS * 200 + 1))


def test_a_call_from_within_a_call_is_refused_and_not_a_deadlock():
    session = Session("nested", declared(), Opened(lambda arrays: [session(arrays[0])], (), ("y",)))
    with pytest.raises(UsageError, match="within its own call"):
        session(np.ones(1, "float32"))
    with pytest.raises(UsageError, match="within its own call"):  # and not for ever
        session(np.ones(1, "float32"))


def test_a_closed_model_says_so(model):
    model.close()
    model.close()
    assert repr(model).startswith("<closed model on ")
    for use in (lambda: model(X), lambda: model.opened, lambda: pickle.dumps(model), model.__enter__):
        with pytest.raises(UsageError, match="is closed"):
            use()


def test_a_with_block_closes(model):
    with model as same:
        assert same is model
        same(X)
    with pytest.raises(UsageError, match="is closed"):
        model(X)


def test_closing_frees_the_runtime(model):
    run = weakref.ref(model.opened.run)
    model.close()
    assert run() is None


@pytest.mark.usefixtures("hasty")
def test_one_thread_may_close_what_others_call(model):
    answer = model(X)
    wrong = []

    def ask(number):
        for call in range(200):
            if number == 0 and call == 100:
                model.close()
            if not np.array_equal(model(X), answer):
                wrong.append(call)

    errors = in_threads(ask)
    assert wrong == []
    assert {type(error) for error in errors} == {UsageError}
    assert all("is closed" in str(error) for error in errors)


def test_a_pickle_holds_the_path_and_is_loaded_again(model):
    content = pickle.dumps(model)
    other = pickle.loads(content)
    assert len(content) < 1000
    assert other.runtime == model.runtime
    assert np.array_equal(other(X), model(X))


def test_a_pickle_is_loaded_from_another_folder(model, tmp_path, monkeypatch):
    shutil.copytree(LOWPASS, tmp_path / "here")
    monkeypatch.chdir(tmp_path)
    content = pickle.dumps(kexport.load("here", model.runtime))
    monkeypatch.chdir("/")
    assert np.array_equal(pickle.loads(content)(X), model(X))


def test_a_pickle_of_a_bundle_that_is_gone_or_another_is_refused(reference):
    content = pickle.dumps(kexport.load(reference, "onnxruntime"))
    artifact = reference / "model.onnx"
    artifact.write_bytes(artifact.read_bytes()[:-1])
    with pytest.raises(ArtifactError, match="not the file"):
        pickle.loads(content)
    shutil.rmtree(reference)
    shutil.copytree(REFERENCE / "scaled", reference)
    with pytest.raises(ArtifactError, match="not the one that the session was loaded from"):
        pickle.loads(content)
    shutil.rmtree(reference)
    with pytest.raises(BundleError, match="is not a bundle"):
        pickle.loads(content)


def stateful(bundle):
    manifest = bundle / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"name"', '"stateful": true,\n  "name"', 1))
    return kexport.load(bundle, "litert")


def test_what_keeps_state_is_not_pickled(reference):
    with pytest.raises(UsageError, match="keeps state"):
        pickle.dumps(stateful(reference))


def test_what_no_bundle_was_loaded_into_is_not_pickled():
    session = runtimes.get("onnxruntime").open(LOWPASS / "model.onnx", kexport.load(LOWPASS).signature)
    with pytest.raises(UsageError, match=r"kexport\.load"):
        pickle.dumps(session)


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_a_model_is_not_copied(model, duplicate):
    with pytest.raises(UsageError, match="cannot be copied"):
        duplicate({"model": [model]}["model"][0])
    with pytest.raises(UsageError, match="cannot be copied"):
        copy.deepcopy({"model": model})


def test_the_text_of_a_model_is_short():
    many = tuple(TensorSpec(f"x{number}", "float32", (None, number)) for number in range(300))
    text = repr(Session("onnxruntime", Signature(many, many[:1]), Opened(lambda arrays: arrays, (), ())))
    assert len(text) < 200
    assert "297 more" in text


def forked(act):
    """The exit code of a fork of this process that calls the function and ends as scripts do; None if it hangs."""
    script = f"""
import os, sys, threading, numpy as np, kexport
from kexport.errors import KexportError
X = np.linspace(-5, 5, 64, dtype="float32")[None]
{act}
child = os.fork()
if not child:
    sys.exit(in_child())
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
in_parent()
sys.exit(status)
"""
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, cwd=LOWPASS)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.parametrize("name", NATIVE)
def test_a_forked_process_may_call_while_the_parent_does(name):
    done = forked(f"""
model = kexport.load(".", {name!r})
answer = model(X)
begun, ended = threading.Event(), threading.Event()

def ask():
    while not ended.is_set():
        model(X)
        begun.set()

thread = threading.Thread(target=ask)
thread.start()
begun.wait()

def in_parent():
    ended.set()
    thread.join()

def in_child():
    return 0 if np.array_equal(model(X), answer) and np.array_equal(model(X), answer) else 5
""")
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_process_is_told_what_it_may_not_use():
    done = forked("""
from kexport.runtimes import Opened, Session
from kexport.bundle.signature import Signature, TensorSpec
signature = Signature((TensorSpec("x", "float32", (None,)),), (TensorSpec("y", "float32", (None,)),))
model = Session("own", signature, Opened(lambda arrays: arrays, (), ("y",)))

def in_parent():
    pass

def in_child():
    try:
        model(X[0])
    except KexportError as error:
        print(error)
        return 7
""")
    assert done.returncode == 7, done.stderr
    assert "cannot be used in another process" in done.stdout


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_ctrl_c_during_a_call_leaves_the_model_usable():
    reached = threading.Event()

    def run(arrays):
        if not reached.is_set():
            reached.set()
            signal.raise_signal(signal.SIGINT)
        return arrays

    session = Session("interrupted", declared(), Opened(run, (), ("y",)))
    with pytest.raises(KeyboardInterrupt):
        session(np.ones(1, "float32"))
    assert session(np.ones(1, "float32")).tolist() == [1]


ENDS = """
import sys, threading, time
import numpy as np
import kexport
model, x = kexport.load(sys.argv[1], sys.argv[2]), np.ones((50_000, 64), "float32")
started = threading.Event()
def call():
    while True:
        model(x)
        started.set()
for _ in range(2):
    threading.Thread(target=call, daemon=True).start()
started.wait()
"""


@pytest.mark.parametrize("name", NATIVE)
def test_a_program_may_end_while_its_threads_call(name):
    done = subprocess.run([sys.executable, "-c", ENDS, LOWPASS, name], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "Fatal" not in done.stderr
