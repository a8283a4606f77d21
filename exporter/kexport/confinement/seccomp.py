"""A seccomp filter: the kernel refuses this process sockets, programs, and the memory of other processes."""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
import sys

from kexport.confinement._system_calls import give_up_privileges, process_control

_SET_SECCOMP, _FILTER = 22, 2  # PR_SET_SECCOMP, SECCOMP_MODE_FILTER
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | errno.EACCES
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_NUMBER_AT, _ARCHITECTURE_AT = 0, 4  # in seccomp_data
_OTHER_TABLE = 0x40000000  # numbers of x86-64's second table begin here
#: By machine: the kernel's name for its architecture, and its numbers of socket, connect, bind, execve, execveat,
#: ptrace, process_vm_readv, process_vm_writev and io_uring_setup.
_MACHINES = {
    "x86_64": (0xC000003E, (41, 42, 49, 59, 322, 101, 310, 311, 425)),
    "aarch64": (0xC00000B7, (198, 203, 200, 221, 281, 117, 270, 271, 425)),
}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def known() -> bool:
    """Whether there is a filter for this machine."""
    return sys.platform == "linux" and platform.machine() in _MACHINES and sys.maxsize > 2**32


def refuse_network_and_programs() -> None:
    """From now on, this thread and those that it starts get an error for each of these calls.

    Raises:
        OSError: the kernel refuses.
    """
    architecture, refused = _MACHINES[platform.machine()]
    checks = [_jump(_EQUAL, number, len(refused) - at) for at, number in enumerate(refused)]
    steps = [
        _step(_LOAD, _ARCHITECTURE_AT),
        _jump(_EQUAL, architecture, 1),
        _step(_RETURN, _REFUSE),
        _step(_LOAD, _NUMBER_AT),
        _jump(_AT_LEAST, _OTHER_TABLE, len(refused) + 1),
        *checks,
        _step(_RETURN, _ALLOW),
        _step(_RETURN, _REFUSE),
    ]
    program = _Program(len(steps), b"".join(steps))
    give_up_privileges()
    zero = ctypes.c_ulong(0)
    process_control(_SET_SECCOMP, ctypes.c_ulong(_FILTER), ctypes.byref(program), zero, zero)


def _step(code: int, value: int) -> bytes:
    return struct.pack("=HBBI", code, 0, 0, value)


def _jump(code: int, value: int, further: int) -> bytes:
    """Skip so many steps where the comparison holds."""
    return struct.pack("=HBBI", code, further, 0, value)
