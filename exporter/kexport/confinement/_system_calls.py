"""The C library, and its `syscall` and `prctl`, for what Python's library has no function for."""

from __future__ import annotations

import ctypes
import functools
import os

_NO_NEW_PRIVILEGES = 38  # PR_SET_NO_NEW_PRIVS


@functools.cache
def library() -> ctypes.CDLL:
    """The C library."""
    return ctypes.CDLL(None, use_errno=True)


def system_call(number: int, *arguments: object) -> int:
    """The result of a system call.

    Raises:
        OSError: it failed.
    """
    return _checked(library().syscall(ctypes.c_long(number), *arguments))


def process_control(option: int, *arguments: object) -> None:
    """Call `prctl`.

    Raises:
        OSError: it failed.
    """
    _checked(library().prctl(ctypes.c_int(option), *arguments))


def give_up_privileges() -> None:
    """No program that this process starts gets more rights than it has; the kernel asks for that first.

    Raises:
        OSError: the kernel is too old.
    """
    one, zero = ctypes.c_ulong(1), ctypes.c_ulong(0)
    process_control(_NO_NEW_PRIVILEGES, one, zero, zero, zero)


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return int(result)
