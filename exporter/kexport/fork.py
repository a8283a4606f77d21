"""A worker process that is a fork of this one, with every module that was imported."""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import IO, ClassVar

from kexport import cleanup
from kexport.process_exit import leave


class Fork:
    """A fork of this process that serves tasks; it has the part of `subprocess.Popen` that a worker needs.

    Args:
        log: gets its standard error.
        serve: what it does, with its tasks on standard input.
    """

    _pipes: ClassVar[list[IO[bytes]]] = []  # of all forks: a later fork must not hold the input of an earlier one open

    def __init__(self, log: IO[bytes], serve: Callable[[], None]) -> None:
        tasks_in, tasks_out = os.pipe()
        events_in, events_out = os.pipe()
        self._status: int | None = None
        self._pid = os.fork()
        if self._pid == 0:
            try:
                for pipe in self._pipes:
                    pipe.close()
                cleanup.forget_all()
                take_streams([tasks_in, events_out, log.fileno()])
                for number in (tasks_in, tasks_out, events_in, events_out):
                    os.close(number)
                serve()
            finally:
                leave(0)
        os.close(tasks_in)
        os.close(events_out)
        self.stdin: IO[bytes] = os.fdopen(tasks_out, "wb")
        self.stdout: IO[bytes] = os.fdopen(events_in, "rb")
        self._pipes.extend([self.stdin, self.stdout])

    def poll(self) -> int | None:
        """The exit status, None while it runs."""
        if self._status is None:
            pid, status = os.waitpid(self._pid, os.WNOHANG)
            if pid:
                self._status = os.waitstatus_to_exitcode(status)
        return self._status

    def wait(self) -> int:
        """Wait for its end, and return the exit status."""
        if self._status is None:
            self._status = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        return self._status

    def kill(self) -> None:
        """Kill it."""
        if self.poll() is None:
            os.kill(self._pid, signal.SIGKILL)


def take_streams(descriptors: Sequence[int]) -> None:
    """In a fork: make these the standard input, output and error; Python writes to the last."""
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
    # A notebook's streams would carry what is written here to the notebook.
    sys.stdout = sys.stderr = io.TextIOWrapper(io.FileIO(2, "w", closefd=False), "utf-8", "backslashreplace")
