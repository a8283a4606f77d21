"""A process that has imported modules and runs nothing: its forks are workers that take no time to start.

A process that has run TensorFlow cannot be forked, and its import is most of a small build. A fork server imports it
once, for all builds of a session in Python. It ends with the process that started it, and when nobody needs it.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from typing import IO, Any

from kexport.confinement import Confinement
from kexport.fork_service import NUMBER
from kexport.lifeline import Lifeline
from kexport.service import start_of

IDLE = 120.0  # seconds that a server lives without work
_IN_TIME = 10.0  # seconds before that in which it is no longer asked
#: What libraries read when they are imported; of all else a fork gets what it is at the time.
_READ_AT_IMPORT = (
    "TF_",
    "XLA_",
    "KERAS_",
    "OMP_",
    "MKL_",
    "DNNL_",
    "ONEDNN_",
    "KMP_",
    "CUDA_",
    "LD_",
    "PYTHON",
    "HOME",
)


class ForkServer:
    """Starts the process, which imports the modules while this one goes on.

    Args:
        modules: to import.
        environment: of the process; what libraries read of it when they are imported holds for all forks.
        idle: after how many seconds without work it ends.

    Raises:
        OSError: there can be none on this Linux.
    """

    def __init__(self, modules: Sequence[str], environment: Mapping[str, str], idle: float = IDLE) -> None:
        self._owner = os.getpid()
        os.close(os.pidfd_open(self._owner))  # which the server needs: Linux 5.3
        self._settings = _read_at_import(environment)
        self._until = time.monotonic() + idle - _IN_TIME
        self._idle = idle
        self._turn = threading.Lock()
        self._lifeline = Lifeline()
        self._requests, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-c",
                    start_of("kexport.fork_service"),
                    str(theirs.fileno()),
                    str(self._lifeline.reader),
                    str(idle),
                    *modules,
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=dict(environment),
                pass_fds=(theirs.fileno(), self._lifeline.reader),
            )
        except OSError:
            self._requests.close()
            self._lifeline.cut()
            raise
        finally:
            theirs.close()
            self._lifeline.hand_over()
        atexit.register(self.close)

    def serves(self, environment: Mapping[str, str]) -> bool:
        """Whether it can be asked for a process with this environment."""
        if self._owner != os.getpid() or self._settings != _read_at_import(environment):
            return False
        return self._process.poll() is None and time.monotonic() < self._until

    def fork(
        self,
        log: IO[bytes],
        lifeline: int,
        folder: str,
        environment: Mapping[str, str],
        limits: Confinement | None,
    ) -> ServedFork:
        """A worker process, in the folder in which this process is.

        Args:
            log: gets its standard error.
            lifeline: the descriptor that it follows.
            folder: for its temporary files; empty where there is none.
            environment: of the process.
            limits: what it may use; None for whatever this one may.

        Raises:
            OSError: the server cannot be asked.
        """
        request = {
            "environment": dict(environment),
            "folder": os.getcwd(),
            "processors": sorted(os.sched_getaffinity(0)),
            "temporaries": folder,
            "limits": None if limits is None else limits.to_json(),
        }
        with contextlib.ExitStack() as theirs, self._turn:
            (tasks, stdin), (stdout, events), (numbers, ends) = os.pipe(), os.pipe(), os.pipe()
            for descriptor in (tasks, events, ends):
                theirs.callback(os.close, descriptor)
            forked = ServedFork(os.fdopen(stdin, "wb"), os.fdopen(stdout, "rb"), os.fdopen(numbers, "rb", 0))
            passed = [tasks, events, log.fileno(), lifeline, ends]
            try:
                socket.send_fds(self._requests, [json.dumps(request).encode()], passed)
            except OSError:
                forked.forget()
                raise
            self._until = time.monotonic() + self._idle - _IN_TIME
        return forked

    def retire(self) -> None:
        """Ask for no more processes; it ends after those that run."""
        self._requests.close()

    def close(self) -> None:
        """End the process, and its forks with it for those who ask how they ended."""
        atexit.unregister(self.close)
        self._requests.close()
        self._lifeline.cut()
        if self._owner == os.getpid():
            self._process.kill()
            self._process.wait()


class ServedFork:
    """A fork of a server; it has the part of `subprocess.Popen` that a worker needs.

    Args:
        stdin: takes its tasks.
        stdout: gives what it answers.
        numbers: gives its process id, then its exit status.
    """

    def __init__(self, stdin: IO[bytes], stdout: IO[bytes], numbers: IO[bytes]) -> None:
        self.stdin = stdin
        self.stdout = stdout
        self._numbers = numbers
        self._pid: int | None = None
        self._status: int | None = None

    def poll(self) -> int | None:
        """The exit status, None while it runs."""
        if self._status is None:
            numbers = select.poll()  # select() takes no descriptor above 1023
            numbers.register(self._numbers)
            while self._status is None and numbers.poll(0):
                self._read()
        return self._status

    def wait(self) -> int:
        """Wait for its end, and return the exit status."""
        while self._status is None:
            self._read()
        return self._status

    def kill(self) -> None:
        """Kill it; where it was not started yet, it never is."""
        if self.poll() is not None:
            return
        if self._pid is None:
            self._end(-signal.SIGKILL)
        self._kill_now()

    def forget(self) -> None:
        """Close the streams of a process that was never asked for."""
        self._end(-signal.SIGKILL)
        self.stdin.close()
        self.stdout.close()

    def _read(self) -> None:
        number = self._numbers.read(struct.calcsize(NUMBER))
        if not number:  # the server was killed, and nobody will know how this process ends
            self._kill_now()
            self._end(-signal.SIGKILL)
        elif self._pid is None:
            (self._pid,) = struct.unpack(NUMBER, number)
        else:
            self._end(struct.unpack(NUMBER, number)[0])

    def _kill_now(self) -> None:
        if self._pid is not None:
            with contextlib.suppress(ProcessLookupError):  # it has ended just now
                os.kill(self._pid, signal.SIGKILL)

    def _end(self, status: int) -> None:
        self._status = status
        self._numbers.close()


def _read_at_import(environment: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in environment.items() if name.startswith(_READ_AT_IMPORT)}
