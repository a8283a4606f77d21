"""The process of a fork server: it imports modules, then forks a worker for each request; `kexport.fork_server` asks.

A request is JSON with five descriptors: tasks, events, log, lifeline, and where the numbers of the fork go: its process
id when it starts, its exit status when it has ended.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import socket
import struct
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from kexport.fork import take_streams
from kexport.lifeline import follow
from kexport.process_exit import leave
from kexport.service import import_all, serve

#: How a process id or an exit status is written.
NUMBER = "i"
_LONGEST = 1 << 20  # bytes of a request, most of which is the environment
_DESCRIPTORS = 5


class _Server:
    """Forks for each request, and tells how each fork ended.

    Args:
        requests: where they come from.
        lifeline: the descriptor that this process follows.
        idle: after how many seconds without a request or a fork it ends.
    """

    def __init__(self, requests: socket.socket, lifeline: int, idle: float) -> None:
        self._requests = requests
        self._lifeline = lifeline
        self._idle = idle
        self._events = selectors.DefaultSelector()
        self._events.register(requests, selectors.EVENT_READ)
        self._forks: dict[int, tuple[int, int]] = {}  # process id, and where its numbers go, by descriptor

    def run(self) -> None:
        asked = True
        while (asked or self._forks) and (ready := self._events.select(None if self._forks else self._idle)):
            for key, _ in ready:
                if key.fileobj is not self._requests:
                    self._bury(key.fd)
                elif not self._answer():
                    asked = False
                    self._events.unregister(self._requests)

    def _answer(self) -> bool:
        """Fork for one request; False where nobody can ask any more."""
        request, descriptors, _, _ = socket.recv_fds(self._requests, _LONGEST, _DESCRIPTORS)
        if not request:
            return False
        *streams, numbers = descriptors
        pid = os.fork()
        if pid == 0:
            try:
                self._let_go(numbers)
                _become_worker(json.loads(request), streams)
            finally:
                leave(0)
        for descriptor in streams:
            os.close(descriptor)
        _say(numbers, pid)
        descriptor = os.pidfd_open(pid)
        self._forks[descriptor] = pid, numbers
        self._events.register(descriptor, selectors.EVENT_READ)
        return True

    def _bury(self, descriptor: int) -> None:
        pid, numbers = self._forks.pop(descriptor)
        self._events.unregister(descriptor)
        os.close(descriptor)
        _say(numbers, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        os.close(numbers)

    def _let_go(self, numbers: int) -> None:
        """In a fork: what is the server's own, or another fork's."""
        self._events.close()
        self._requests.close()
        for descriptor in (self._lifeline, numbers, *self._forks, *(other for _, other in self._forks.values())):
            os.close(descriptor)


def _say(numbers: int, number: int) -> None:
    with contextlib.suppress(BrokenPipeError):  # nobody waits for it any more; its lifeline ends it
        os.write(numbers, struct.pack(NUMBER, number))


def _become_worker(request: Mapping[str, Any], streams: Sequence[int]) -> None:
    *standard, lifeline = streams
    take_streams(standard)
    for descriptor in standard:
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    os.sched_setaffinity(0, request["processors"])
    serve(lifeline, request["temporaries"], (), request["limits"])


def main() -> None:
    """Serve forks, with the arguments that `ForkServer` passes."""
    requests, lifeline, idle, *modules = sys.argv[1:]
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the one who asks handles Ctrl-C; the lifeline ends with it
    follow(int(lifeline))
    import_all(modules)
    with socket.socket(fileno=int(requests)) as asked:
        _Server(asked, int(lifeline), float(idle)).run()
