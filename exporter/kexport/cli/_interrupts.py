"""Ctrl-C while native code runs: Python calls the handler of a signal only between two of its own instructions.

A model whose loop never ends, or a long conversion, would keep the handler waiting, and the user with it.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable

from kexport import cleanup

_PATIENCE = 3.0  # seconds that the handler has; it runs at once unless native code does
_heard = threading.Event()
_watching = False


def heard() -> None:
    """Say that the handler of a signal runs, which ends the process."""
    _heard.set()


def goes_on() -> None:
    """Say that the process goes on after a signal: the next one must be heard too."""
    threading.Timer(_PATIENCE, _heard.clear).start()


def heed_in_native_code(end: Callable[[int], object]) -> None:
    """From now on, have a thread end the process where a signal is not heard in time; call it after the last fork.

    Args:
        end: ends the process, from whatever thread, given the number of the signal.
    """
    global _watching
    if _watching or os.name != "posix":
        return
    _watching = True
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    # A fork, which the code of a model may make, has no such thread, and must not write for its parent.
    os.register_at_fork(after_in_child=lambda: signal.set_wakeup_fd(-1))
    threading.Thread(target=_watch, args=(reading, end), name="kexport-signals", daemon=True).start()


def _watch(reading: int, end: Callable[[int], object]) -> None:
    while True:
        (number,) = os.read(reading, 1)
        if number not in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            continue
        if not _heard.wait(_PATIENCE):
            while cleanup.is_undivided():
                time.sleep(_PATIENCE)
            end(number)
