"""Worker processes: a named function runs in another process, so that a crash or a hang there is an error here.

A worker reads one JSON task per line from its standard input, `{"call": "module:function", "args": {...}}`, and
writes one JSON event per line: `item` for each value that the function yields, then `done` or `error`. Raw bytes may
follow the line of a task, and that of the event `bytes`. It ends when its standard input closes, and with its parent.
Most workers are started anew. One may be forked instead, which gives it every module that was imported, but only before
TensorFlow has run anything: eager execution hangs after that. A fork server forks where this process cannot.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import IO, Any

from kexport import cleanup, progress
from kexport.carried_errors import error_from_json
from kexport.confinement import Confinement, confine, ended_by_limit
from kexport.errors import UncheckedError
from kexport.fork import Fork
from kexport.fork_server import ForkServer, ServedFork
from kexport.lifeline import Lifeline
from kexport.scratch import temporary_folder
from kexport.service import serve, start_of
from kexport.user_code import import_failed

DEFAULT_TIMEOUT = 1800.0  # seconds that one task may take
_LAST_BREATH = 5.0  # seconds between the end of a process's answers and its own

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


def worker_environment() -> dict[str, str]:
    """The environment of a worker process that is started now."""
    return {**os.environ, **_WORKER_ENVIRONMENT}


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
        server: which forks instead.
        confinement: what a new process may use; None for whatever this one may.
    """

    def __init__(
        self,
        preload: Sequence[str] = (),
        *,
        fork: bool = False,
        server: ForkServer | None = None,
        confinement: Confinement | None = None,
    ) -> None:
        self._confinement = confinement
        self._importing = ""
        self._log = _anonymous_file()
        self._lifeline = Lifeline()
        self._temporaries = contextlib.ExitStack()
        folder = ""
        with contextlib.suppress(UncheckedError, OSError):  # on a device that is read-only, nothing is left behind
            folder = str(self._temporaries.enter_context(temporary_folder()))
        try:
            self._process = self._started(fork, server, preload, folder)
        except OSError:
            self._lifeline.cut()
            self._lifeline.hand_over()
            self._temporaries.close()
            self._log.close()
            raise
        self._lifeline.hand_over()
        cleanup.register(self._process.kill)

    def _started(
        self, fork: bool, server: ForkServer | None, preload: Sequence[str], folder: str
    ) -> subprocess.Popen[bytes] | Fork | ServedFork:
        line = self._lifeline
        confinement = None if self._confinement is None else self._confinement.writing_to(folder)

        def confined() -> None:
            if confinement is not None:
                confine(confinement)
            serve(line.reader, folder, ())

        if fork:
            return Fork(self._log, confined)
        if server is not None:
            return server.fork(self._log, line.reader, folder, worker_environment(), confinement)
        limits = None if confinement is None else confinement.to_json()
        return subprocess.Popen(
            [sys.executable, "-c", start_of("kexport.service"), str(line.reader), folder, json.dumps(limits), *preload],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=worker_environment(),
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
            ImportFailedError: the code of an import ended the process, or took longer than `timeout` seconds.
            WorkerCrashError: the process died, took longer than `timeout` seconds, or gave no answer.
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
                event, value = _event(line)
                if event == "item":
                    yield value
                elif event == "bytes":
                    content = bytearray(value)
                    if self._process.stdout.readinto(content) < value:  # type: ignore[attr-defined]
                        break
                    yield content
                elif event == "importing":
                    self._importing = value
                elif event == "printed":
                    progress.note_once(value)
                elif event == "done":
                    return
                elif event != "error":
                    break
                else:
                    raise error_from_json(value)
        finally:
            if alarm is not None:
                alarm.cancel()
        death = self._death(f"took longer than {timeout:g} s" if expired.is_set() else "")
        if self._importing:
            raise import_failed(self._importing, death)
        raise death

    def _death(self, late: str) -> WorkerCrashError:
        """Why the process gives no more answers; it has ended then."""
        until = time.monotonic() + _LAST_BREATH
        while self.alive and time.monotonic() < until:
            time.sleep(0.001)
        closed = self.alive
        if closed:  # what runs in it has closed the stream, or replaced the program
            self._process.kill()
        status = self._process.wait()
        if late:
            return WorkerTimeoutError(late, self._tail())
        if limit := ended_by_limit(status, self._tail(), self._confinement):
            return WorkerLimitError(limit, self._tail())
        cause = "the process closed or overwrote its streams" if closed else _cause_of_death(status)
        return WorkerCrashError(cause, self._tail())

    def run(self, call: str, timeout: float = DEFAULT_TIMEOUT, **args: object) -> list[Any]:
        """Submit a task and wait for everything that it yields."""
        self.submit(call, **args)
        return list(self.results(timeout))

    def narrow(self, confinement: Confinement) -> None:
        """Lower the memory and the time of a process that was confined before these were known.

        Raises:
            WorkerCrashError: as `results`.
        """
        if self._confinement is None:
            return
        self._confinement = replace(confinement, cut_off=self._confinement.cut_off)
        self.run("kexport.confinement:narrow", limits=confinement.to_json())

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


def _event(line: bytes) -> tuple[str, Any]:
    """The event of a line; empty for a line that the model's code wrote."""
    try:
        event, value = json.loads(line)
        return event, value
    except (TypeError, ValueError):
        return "", None


def _cause_of_death(status: int) -> str:
    if status < 0:
        return f"the process crashed with {signal.Signals(-status).name}"
    return f"the process ended with exit code {status}"


def _anonymous_file() -> IO[bytes]:
    """A file that nothing names: on disk, or in memory on a device that is read-only."""
    with contextlib.suppress(OSError):
        return tempfile.TemporaryFile()
    with contextlib.suppress(OSError, AttributeError):
        return os.fdopen(os.memfd_create("log"), "w+b")
    return open(os.devnull, "w+b")
