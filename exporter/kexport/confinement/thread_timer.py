"""A timer of the processor time of one thread: Python's own count that of all threads together."""

from __future__ import annotations

import ctypes
import functools
import os
import signal
import threading
import time

from kexport.confinement._system_calls import library

_BY_SIGNAL = 0  # SIGEV_SIGNAL


class _Event(ctypes.Structure):
    """What a timer does when it expires: `struct sigevent`, which has 64 bytes on Linux."""

    _fields_ = (
        ("value", ctypes.c_void_p),
        ("signal", ctypes.c_int),
        ("how", ctypes.c_int),
        ("rest", ctypes.c_byte * (56 - ctypes.sizeof(ctypes.c_void_p))),
    )


class _Times(ctypes.Structure):
    """`struct itimerspec`: when a timer expires again, and first, in seconds and nanoseconds."""

    _fields_ = tuple((name, ctypes.c_long) for name in ("again", "again_ns", "first", "first_ns"))


def arm(seconds: float) -> None:
    """Send this process SIGPROF when this thread has run for so many seconds from now; 0 for never.

    A system other than Linux has no such timer, and nothing is sent.
    """
    try:
        timer = _timer(os.getpid(), threading.get_ident())
    except (OSError, AttributeError):
        return
    whole = int(seconds)
    times = _Times(0, 0, whole, int((seconds - whole) * 1e9))
    library().timer_settime(timer, 0, ctypes.byref(times), None)


@functools.cache
def _timer(process: int, thread: int) -> ctypes.c_void_p:
    """The timer of this thread; a fork has none of those of its parent, so that both are the key.

    Raises:
        OSError: the system makes no more timers.
        AttributeError: the system has none.
    """
    timer, event = ctypes.c_void_p(), _Event(None, signal.SIGPROF, _BY_SIGNAL)
    if library().timer_create(time.CLOCK_THREAD_CPUTIME_ID, ctypes.byref(event), ctypes.byref(timer)):
        raise OSError("timer_create")
    return timer
