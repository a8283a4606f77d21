"""The calls in progress: an interpreter that ends while a daemon thread is in native code aborts the process."""

from __future__ import annotations

import atexit
import os
import threading
import time

from kexport.errors import UsageError

_running: list[None] = []  # one for each call; lists are safe from threads
_ending = False
_LONGEST = 10.0  # seconds that the end of the interpreter waits for them


def begin() -> None:
    """Count a call that begins.

    Raises:
        UsageError: the program is ending, and this is one of its other threads.
    """
    _running.append(None)
    if _ending and threading.current_thread() is not threading.main_thread():
        end()
        raise UsageError("the model was called while the program ends", hint="join the thread, or close the model")


def end() -> None:
    """Count a call that ends."""
    del _running[-1:]  # it may have begun before a fork


def _await() -> None:
    global _ending
    _ending = True
    until = time.monotonic() + _LONGEST
    while _running and time.monotonic() < until:
        time.sleep(0.001)


atexit.register(_await)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_running.clear)
