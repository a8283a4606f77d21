"""Landlock: the kernel refuses this process to write, create or remove anything outside of its folders.

The three system calls are made here, because a device that verifies a bundle should need no further package for it, and
none of those on PyPI has left its alpha stage. Numbers and structures: <https://docs.kernel.org/userspace-api/landlock.html>.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterable

from kexport.confinement._system_calls import give_up_privileges, system_call

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # on every architecture
_ASK_VERSION = 1
_PATH_BENEATH = 1

_WRITE_FILE = 1 << 1
#: Write; remove folders and files; make devices, folders, files, sockets, pipes and links.
_WRITING = _WRITE_FILE | sum(1 << bit for bit in range(4, 13))
_SINCE = {2: 1 << 13, 3: 1 << 14, 5: 1 << 15}  # by version: link to another folder, truncate, control devices
_SCOPES = 0b11  # since version 6: abstract sockets, and signals to other processes
_SCOPED = 6


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scopes", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("access", ctypes.c_uint64), ("folder", ctypes.c_int32))


def version() -> int:
    """The version of the kernel's interface; 0 where there is none."""
    if sys.platform != "linux":
        return 0
    try:
        return system_call(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_ASK_VERSION))
    except OSError:
        return 0


def write_only_below(folders: Iterable[str]) -> None:
    """From now on, this thread and those that it starts write only in the folders, and to `/dev/null`.

    Raises:
        OSError: the kernel refuses.
    """
    known = version()
    access = _WRITING | sum(bit for since, bit in _SINCE.items() if known >= since)
    rules = _Ruleset(access, 0, _SCOPES if known >= _SCOPED else 0)
    size = ctypes.sizeof(rules) if known >= _SCOPED else _Ruleset.network.offset
    ruleset = system_call(_CREATE_RULESET, ctypes.byref(rules), ctypes.c_size_t(size), ctypes.c_uint32(0))
    try:
        for folder in folders:
            _allow(ruleset, folder, access)
        _allow(ruleset, os.devnull, access & (_WRITE_FILE | _SINCE[3] | _SINCE[5]))
        give_up_privileges()
        system_call(_RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0))
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: str, access: int) -> None:
    place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rule = _PathBeneath(access, place)
        arguments = (ctypes.c_int(ruleset), ctypes.c_int(_PATH_BENEATH), ctypes.byref(rule), ctypes.c_uint32(0))
        system_call(_ADD_RULE, *arguments)
    finally:
        os.close(place)
