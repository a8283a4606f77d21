"""Worker processes: a named function runs in another process, so that a crash or a hang there is an error here.

A worker reads one JSON task per line from its standard input, `{"call": "module:function", "args": {...}}`, and
writes one JSON event per line: `item` for each value that the function yields, then `done` or `error`. Raw bytes may
follow the line of a task, and that of the event `bytes`. It ends when its standard input closes, and with its parent.
Most workers are started anew. One may be forked instead, which gives it every module that was imported, but only before
TensorFlow has run anything: eager execution hangs after that.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Any

from kexport import cleanup
from kexport.carried_errors import error_from_json, error_to_json
from kexport.confinement import Confinement, confine, ended_by_limit
from kexport.errors import ModelError, UncheckedError, located
from kexport.fork import Fork
from kexport.home import leave_untouched
from kexport.lifeline import Lifeline, follow
from kexport.scratch import NOWHERE, temporary_folder

DEFAULT_TIMEOUT = 1800.0  # seconds that one task may take
#: What a new process runs. Python puts the current folder first on the import path; a file errors.py there may be any.
_START = "import sys; sys.path[:] = filter(None, sys.path); from kexport.process import main; main()"

#: What every process sets before it imports a native library, to silence its messages and to keep it off the network.
QUIET_ENVIRONMENT = {
    "ORT_DISABLE_TELEMETRY": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}
#: What a worker process gets besides; the user's own process, and what that starts, keep Python's settings.
_WORKER_ENVIRONMENT = {
    **QUIET_ENVIRONMENT,
    "KERAS_BACKEND": "tensorflow",
    "PYTHONWARNINGS": "ignore",
    "PYTHONSAFEPATH": "1",  # a file onnx.py in the user's folder must not shadow the package
}


class WorkerCrashError(Exception):
    """A worker process died, or ran out of time, in the middle of a task.

    Attributes:
        log: the end of what it wrote to its standard error.
    """

    def __init__(self, cause: str, log: str) -> None:
        self.log = log
        super().__init__(cause)


class WorkerLimitError(WorkerCrashError):
    """A worker process came to the end of its time or its memory."""


class WorkerTimeoutError(WorkerLimitError):
    """A worker process ran out of time."""


class Worker:
    """A process that runs named functions one after another.

    Args:
        preload: modules to import at once, while the parent does something else.
        fork: whether to fork this process instead of starting a new one.
        confinement: what a new process may use; None for whatever this one may.
    """

    def __init__(
        self, preload: Sequence[str] = (), *, fork: bool = False, confinement: Confinement | None = None
    ) -> None:
        self._confinement = confinement
        self._log = _anonymous_file()
        self._lifeline = Lifeline()
        self._temporaries = contextlib.ExitStack()
        folder = ""
        with contextlib.suppress(UncheckedError, OSError):  # on a device that is read-only, nothing is left behind
            folder = str(self._temporaries.enter_context(temporary_folder()))
        try:
            self._process = self._started(fork, preload, folder)
        except OSError:
            self._lifeline.cut()
            self._lifeline.hand_over()
            self._temporaries.close()
            self._log.close()
            raise
        self._lifeline.hand_over()
        cleanup.register(self._process.kill)

    def _started(self, fork: bool, preload: Sequence[str], folder: str) -> subprocess.Popen[bytes] | Fork:
        line = self._lifeline
        if fork:
            return Fork(self._log, lambda: _serve(line.reader, folder, ()))
        limits = None if self._confinement is None else self._confinement.writing_to(folder).to_json()
        return subprocess.Popen(
            [sys.executable, "-c", _START, str(line.reader), folder, json.dumps(limits), *preload],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env={**os.environ, **_WORKER_ENVIRONMENT},
            pass_fds=(line.reader,) if os.name == "posix" else (),
        )

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def submit(self, call: str, **args: object) -> None:
        """Send a task to the process.

        Args:
            call: the function that makes the results, as `"module:function"`.
            args: its keyword arguments, which must be JSON.
        """
        self._send({"call": call, "args": args, "bytes": None})

    def submit_bytes(self, call: str, payload: Sequence[memoryview], **args: object) -> None:
        """Send a task and raw bytes to the process: the function gets them, joined, as its argument `payload`."""
        self._send({"call": call, "args": args, "bytes": sum(chunk.nbytes for chunk in payload)}, payload)

    def _send(self, task: object, payload: Sequence[memoryview] = ()) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(task).encode() + b"\n")
            for chunk in payload:
                self._process.stdin.write(chunk)
            self._process.stdin.flush()
        except OSError:
            pass  # the process died: `results` raises the error

    def results(self, timeout: float | None = DEFAULT_TIMEOUT) -> Iterator[Any]:
        """The JSON values, and the bytes, that the oldest unread task yields, as they come.

        Raises:
            KexportError: the task raised it.
            OSError: the task raised it.
            WorkerCrashError: the process died or took longer than `timeout` seconds.
        """
        assert self._process.stdout is not None
        expired = threading.Event()

        def expire() -> None:
            expired.set()
            self._process.kill()

        alarm = None
        if timeout is not None:
            alarm = threading.Timer(timeout, expire)
            alarm.daemon = True
            alarm.start()
        try:
            for line in self._process.stdout:
                event, value = json.loads(line)
                if event == "item":
                    yield value
                elif event == "bytes":
                    content = bytearray(value)
                    if self._process.stdout.readinto(content) < value:  # type: ignore[attr-defined]
                        break
                    yield content
                elif event == "done":
                    return
                else:
                    raise error_from_json(value)
        finally:
            if alarm is not None:
                alarm.cancel()
        status = self._process.wait()
        if expired.is_set():
            raise WorkerTimeoutError(f"took longer than {timeout:g} s", self._tail())
        if limit := ended_by_limit(status, self._tail(), self._confinement):
            raise WorkerLimitError(limit, self._tail())
        raise WorkerCrashError(_cause_of_death(status), self._tail())

    def run(self, call: str, timeout: float = DEFAULT_TIMEOUT, **args: object) -> list[Any]:
        """Submit a task and wait for everything that it yields."""
        self.submit(call, **args)
        return list(self.results(timeout))

    def close(self) -> None:
        """Kill the process, and close its streams."""
        if self.alive:
            self._process.kill()
        self._process.wait()
        cleanup.forget(self._process.kill)
        self._lifeline.cut()
        self._temporaries.close()
        for stream in (self._process.stdin, self._process.stdout, self._log):
            if stream is not None:
                try:
                    stream.close()
                except OSError:
                    pass  # the buffer still holds a task, and the process is dead

    def _tail(self) -> str:
        self._log.seek(0)
        return self._log.read().decode(errors="replace")[-2000:]


def _cause_of_death(status: int) -> str:
    if status < 0:
        return f"the process crashed with {signal.Signals(-status).name}"
    return f"the process ended with exit code {status}"


def _serve(lifeline: int, folder: str, preload: Sequence[str], limits: Mapping[str, Any] | None = None) -> None:
    """The main loop of a worker process.

    Args:
        lifeline: of the parent.
        folder: for what libraries write as temporary; empty where there is none.
        preload: modules to import at once.
        limits: what this process may use, as JSON; None for no limits.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C; the lifeline ends with it
    for number in (signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
        signal.signal(number, signal.SIG_DFL)  # a fork has the parent's handlers
    if os.name == "posix":
        follow(lifeline)
    leave_untouched()
    tempfile.tempdir = folder or NOWHERE
    if folder:
        os.environ["TMPDIR"] = folder
    if limits:
        confine(Confinement.from_json(limits))  # before anything starts a thread
    tasks, events = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "rb") as nowhere:
        os.dup2(nowhere.fileno(), 0)  # a model's code that asks a question must not read the tasks
    sys.stdin = open(0, closefd=False)  # noqa: SIM115  the process ends with it
    os.dup2(2, 1)  # what a library prints must not mix with the events

    def emit(event: str, value: object = None, content: bytes = b"") -> None:
        events.write(json.dumps([event, value]).encode() + b"\n")
        events.write(content)
        events.flush()

    # Garbage collections during the import of TensorFlow take a fifth of its time and free nothing.
    gc.disable()
    for name in preload:
        with contextlib.suppress(ImportError):  # the task that needs the module raises the error
            importlib.import_module(name)
    gc.freeze()
    gc.enable()
    for line in tasks:
        task = json.loads(line)
        module, _, function = task["call"].partition(":")
        args = task["args"] if task["bytes"] is None else {**task["args"], "payload": tasks.read(task["bytes"])}
        try:
            for item in getattr(importlib.import_module(module), function)(**args):
                if isinstance(item, bytes):
                    emit("bytes", len(item), item)
                else:
                    emit("item", item)
        except SystemExit as end:
            ended = ModelError("the code of the model ends the process", got=located(end), hint="remove that call")
            emit("error", error_to_json(ended))
        except Exception as error:  # noqa: BLE001  it goes to the parent, which raises it
            emit("error", error_to_json(error))
        else:
            emit("done")


def main() -> None:
    """Serve as a worker process, with the arguments that `Worker` passes."""
    lifeline, folder, limits, *preload = sys.argv[1:]
    _serve(int(lifeline), folder, preload, json.loads(limits))


def _anonymous_file() -> IO[bytes]:
    """A file that nothing names: on disk, or in memory on a device that is read-only."""
    with contextlib.suppress(OSError):
        return tempfile.TemporaryFile()
    with contextlib.suppress(OSError, AttributeError):
        return os.fdopen(os.memfd_create("log"), "w+b")
    return open(os.devnull, "w+b")
