import contextlib
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kexport.confinement import Confinement, is_confined
from kexport.factory import tensorflow_workers
from kexport.fork_server import ForkServer
from kexport.process import Worker, WorkerCrashError, worker_environment

LINUX_ALONE = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no process can be forked safely")
pytestmark = LINUX_ALONE


@pytest.fixture(autouse=True)
def this_module_can_be_imported(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]))


@pytest.fixture
def server():
    with contextlib.closing(ForkServer(["wave"], worker_environment())) as server:
        yield server


@contextlib.contextmanager
def fork(server, confinement=None):
    with contextlib.closing(Worker(server=server, confinement=confinement)) as worker:
        yield worker


def facts():
    """What a process knows of itself."""
    yield {
        "process": os.getpid(),
        "parent": os.getppid(),
        "folder": str(Path.cwd()),
        "of now": os.environ.get("OF_NOW"),
        "imported": "wave" in sys.modules,
        "processors": sorted(os.sched_getaffinity(0)),
        "confined": is_confined(),
    }


def of(worker):
    return worker.run(f"{__name__}:facts")[0]


def is_running(pid):
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def wait_for(condition, seconds=20.0):
    until = time.monotonic() + seconds
    while not condition() and time.monotonic() < until:
        time.sleep(0.01)
    return condition()


def test_forks_are_processes_of_their_own_with_what_the_server_has_imported(server):
    with fork(server) as first, fork(server) as second:
        one, other = of(first), of(second)
        assert one["imported"]
        assert one["parent"] == other["parent"] != os.getpid()
        assert one["process"] != other["process"]
        assert wait_for(lambda: first.alive and second.alive)
    assert not is_running(one["process"])
    with fork(server) as third:
        assert of(third)["parent"] == one["parent"]


def test_a_fork_has_the_folder_the_environment_and_the_processors_of_the_moment(server, tmp_path, monkeypatch):
    here = sorted(os.sched_getaffinity(0))
    with fork(server):
        pass
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OF_NOW", "yes")
    os.sched_setaffinity(0, here[:1])
    try:
        with fork(server) as worker:
            found = of(worker)
    finally:
        os.sched_setaffinity(0, here)
    assert (found["folder"], found["of now"], found["processors"]) == (str(tmp_path), "yes", here[:1])


def test_a_fork_is_confined_where_a_new_process_would_be(server, tmp_path):
    with fork(server) as free, fork(server, Confinement.of(0, 0, str(tmp_path))) as confined:
        assert [of(free)["confined"], of(confined)["confined"]] == [False, True]


@pytest.mark.parametrize("name", ["TF_ENABLE_ONEDNN_OPTS", "KERAS_HOME", "OMP_NUM_THREADS", "PYTHONPATH"])
def test_what_libraries_read_when_they_are_imported_asks_for_another_server(server, monkeypatch, name):
    monkeypatch.setenv("PWD_OF_NOW", "any")
    assert server.serves(worker_environment())
    monkeypatch.setenv(name, "1")
    assert not server.serves(worker_environment())


def test_a_server_that_nobody_needs_ends_but_not_before_its_forks():
    with contextlib.closing(ForkServer([], worker_environment(), idle=0.2)) as server:
        assert not server.serves(worker_environment())  # it may end before it gets the request
        with fork(server) as worker:
            pid = of(worker)["parent"]
            time.sleep(0.5)
            assert is_running(pid)
        assert wait_for(lambda: not is_running(pid))


def test_a_server_that_retires_ends_after_its_forks(server):
    with fork(server) as worker:
        pid = of(worker)["parent"]
        server.retire()
        time.sleep(0.3)
        assert worker.alive
        assert of(worker)["parent"] == pid
        with pytest.raises(OSError, match="descriptor"):
            Worker(server=server)
    assert wait_for(lambda: not is_running(pid))


def test_a_build_that_goes_on_keeps_its_workers_when_another_server_is_needed(monkeypatch):
    """The settings of libraries change, or the time is over after which a server may have ended."""
    monkeypatch.setitem(sys.modules, "tensorflow", sys)  # as if it had been run here
    monkeypatch.setattr(tensorflow_workers, "_MODULES", ("wave",))
    monkeypatch.setattr(tensorflow_workers, "_server", None)
    with contextlib.closing(tensorflow_workers.forked_worker(None)) as first:
        monkeypatch.setenv("TF_OF_NOW", "other")
        with contextlib.closing(tensorflow_workers.forked_worker(None)) as second:
            assert of(first)["parent"] != of(second)["parent"]
            assert of(first)["imported"]
            assert of(second)["imported"]
            assert first.alive


def test_where_there_can_be_no_server_a_worker_is_a_new_process(monkeypatch):
    def refuse(pid):
        raise OSError("Function not implemented")

    monkeypatch.setattr(os, "pidfd_open", refuse)
    monkeypatch.setitem(sys.modules, "tensorflow", sys)  # as if it had been run here
    monkeypatch.setattr(tensorflow_workers, "_MODULES", ("wave",))
    monkeypatch.setattr(tensorflow_workers, "_server", None)
    with contextlib.closing(tensorflow_workers.forked_worker(None)) as worker:
        found = of(worker)
    assert found["parent"] == os.getpid()
    assert found["imported"]


def test_the_forks_of_a_server_that_was_killed_count_as_killed(server):
    with fork(server) as worker:
        found = of(worker)
        os.kill(found["parent"], signal.SIGKILL)
        worker.submit("signal:pause")
        assert wait_for(lambda: not worker.alive)
        with pytest.raises(WorkerCrashError, match="SIGKILL"):
            list(worker.results())
    assert wait_for(lambda: not is_running(found["process"]))
    assert wait_for(lambda: not server.serves(worker_environment()))
    with pytest.raises(OSError, match=r"[Pp]ipe|reset"):
        Worker(server=server)


def test_a_fork_that_is_given_up_before_it_started_never_runs(tmp_path):
    with contextlib.closing(ForkServer(["kexport.factory.formats.onnx"], worker_environment())) as server:
        with fork(server) as worker:
            worker.submit("os:mkdir", path=str(tmp_path / "ran"))
        with fork(server) as worker:
            assert of(worker)
    assert not (tmp_path / "ran").exists()


def test_nothing_is_left_of_a_program_that_is_killed():
    code = (
        "import os, time; from kexport.fork_server import ForkServer; from kexport.process import *\n"
        "server = ForkServer([], worker_environment()); worker = Worker(server=server)\n"
        f"facts = worker.run('{__name__}:facts')[0]; print(facts['process'], facts['parent'], flush=True)\n"
        "time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        pids = [int(pid) for pid in program.stdout.readline().split()]
        assert [is_running(pid) for pid in pids] == [True, True]
        program.kill()
    assert wait_for(lambda: not any(map(is_running, pids)))


def test_a_program_that_ends_says_nothing_of_its_server():
    code = (
        "from kexport.fork_server import ForkServer; from kexport.process import *\n"
        "server = ForkServer([], worker_environment()); Worker(server=server).close()"
    )
    done = subprocess.run([sys.executable, "-W", "always", "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_fork_of_the_program_has_a_server_of_its_own(server):
    with fork(server) as worker:
        pid = os.fork()
        if pid == 0:
            other = 1
            with contextlib.suppress(BaseException):
                other = int(server.serves(worker_environment()))
                server.close()
            os._exit(other)
        assert os.waitpid(pid, 0)[1] == 0
        assert of(worker)  # the fork has closed its own copy alone
    with fork(server) as worker:
        assert of(worker)


def test_a_program_with_many_open_files_can_still_ask_how_a_fork_is(server):
    """select() takes no descriptor above 1023."""
    least = 1100
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < 2 * least:
        pytest.skip("this system allows no more open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(allowed, 2 * least), most))
    with contextlib.ExitStack() as opened:
        opened.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (allowed, most))
        for _ in range(least):
            opened.enter_context(open(os.devnull, "rb"))
        with fork(server) as worker:
            assert worker.alive
            assert of(worker)["process"] != os.getpid()
