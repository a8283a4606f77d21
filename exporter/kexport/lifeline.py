"""A worker process must not outlive the process that started it, however that one ended, and whatever it is doing.

Neither must what it forks: a worker leads a group of processes, which ends as a whole.
"""

from __future__ import annotations

import os
import select
import signal
import threading
import weakref
from typing import IO, ClassVar

from kexport.process_exit import leave


class Lifeline:
    """A pipe into which nothing is written: its reader sees the end when the writing process has closed it or is gone.

    Attributes:
        reader: the descriptor for the other process, which follows it.
    """

    _writers: ClassVar[weakref.WeakSet[IO[bytes]]] = weakref.WeakSet()

    def __init__(self) -> None:
        self.reader, writer = os.pipe()
        self._writer = os.fdopen(writer, "wb")
        self._writers.add(self._writer)

    def hand_over(self) -> None:
        """Close the reader here, once the other process has it."""
        os.close(self.reader)

    def cut(self) -> None:
        """Let the other process end."""
        self._writer.close()

    @classmethod
    def drop_all(cls) -> None:
        """Close the writers in a fork: it must not keep the processes of its parent alive."""
        for writer in list(cls._writers):
            writer.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=Lifeline.drop_all)


def follow(reader: int) -> None:
    """End this process, and its forks, as soon as the lifeline with this reader ends."""
    os.setpgid(0, 0)
    try:
        import fcntl

        # The system itself kills the group: native code need not return to Python for it.
        fcntl.fcntl(reader, fcntl.F_SETOWN, -os.getpid())
        fcntl.fcntl(reader, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(reader, fcntl.F_SETFL, fcntl.fcntl(reader, fcntl.F_GETFL) | os.O_ASYNC)
        gone = select.poll()
        gone.register(reader, select.POLLHUP)
        if gone.poll(0):  # before it was followed
            leave(1)
    except (ImportError, AttributeError, OSError):  # another system than Linux
        threading.Thread(target=_wait_for_end, args=(reader,), daemon=True).start()


def _wait_for_end(reader: int) -> None:
    os.read(reader, 1)
    leave(1)
