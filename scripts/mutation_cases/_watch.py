"""Watching a process: what it writes outside of its folder, and whether it runs code that a file brought."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_CHANGES = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod")
_CODE = ("pickle.find_class", "os.system", "os.exec", "os.posix_spawn", "socket.connect", "socket.getaddrinfo")


class Watch:
    """Watches this process, and those that it forks, from now on.

    Args:
        folder: the one in which it may write; `watched/` beside it must stay as it is.
    """

    def __init__(self, folder: Path) -> None:
        self._own, self._watched = folder, folder.parent / "watched"
        self._before = self._listing()
        self._log = os.open(folder.parent / "trespasses", os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC)
        self._read = 0
        self._allowed = (str(folder), "/dev/null", "/dev/shm/kexport", "/dev/tty", "/proc/self/")
        sys.addaudithook(self._hear)

    def trespasses(self) -> list[str]:
        """What was done since the last question."""
        size = os.fstat(self._log).st_size
        told = os.pread(self._log, size - self._read, self._read).decode(errors="replace").splitlines()
        self._read = size
        if (self._own / "ran").exists():
            (self._own / "ran").unlink()
            told.append("ran: the canary")
        if (now := self._listing()) != self._before:
            told.append(f"wrote: {sorted(set(now) ^ set(self._before))}")
            self._before = now
        return told

    def _listing(self) -> list[tuple[str, int, int]]:
        places = [*os.scandir(self._watched), *os.scandir(self._watched.parent)]
        return sorted(
            (e.path, e.stat().st_size, e.stat().st_mtime_ns)
            for e in places
            if e.is_file() and e.name not in ("trespasses", "log")
        )

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if flags & _WRITES and isinstance(path, str | bytes):
                self._require_inside("wrote", path)
        elif event in _CHANGES:
            for path in arguments[: 2 if event in ("os.rename", "os.link") else 1]:
                if isinstance(path, str | bytes):
                    self._require_inside(event, path)
        elif event in _CODE:
            self._tell(f"ran: {event} {str(arguments)[:200]}")

    def _require_inside(self, what: str, path: str | bytes) -> None:
        full = os.path.abspath(os.fsdecode(path))
        if not full.startswith(self._allowed):
            self._tell(f"wrote: {what} {full}")

    def _tell(self, text: str) -> None:
        os.write(self._log, text.encode(errors="replace") + b"\n")
