"""The kills of a campaign, and the commands that are killed, in forks of a process that has imported TensorFlow."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
ORPHANS_AFTER = 2.0  # seconds
_LONGEST = 300.0  # seconds that a build may take
_UNKILLED = 10  # every so many builds, one is left to end
_numbers = itertools.count()
_leave = os._exit  # a command replaces it, in its own process


@dataclass(frozen=True)
class Kill:
    """One build that is to be ended.

    Attributes:
        number: of the build.
        signal: what ends it; None for a build that is left to end.
        group: whether all its processes get the signal, as from Ctrl-C in a terminal.
        moment: a share of the time that a build takes; None for a moment around the exchange.
        beside: the target of a second build at the same time; None for none.
    """

    number: int
    signal: signal.Signals | None
    group: bool
    moment: float | None
    beside: str | None

    def __str__(self) -> str:
        when = "at the exchange" if self.moment is None else f"at {self.moment:.0%}"
        name = "no signal" if self.signal is None else f"{self.signal.name} {when}"
        return f"{self.number}: {name}{' to the group' * self.group}{f', beside {self.beside}' if self.beside else ''}"


def drawn(count: int, seed: int) -> Iterator[Kill]:
    """The kills of a campaign."""
    draw = random.Random(seed)
    for number in range(1, count + 1):
        kind = draw.choice(SIGNALS)
        moment = draw.choice([None, draw.random() * 1.1])
        beside = draw.choice([None, None, None, "b", "b.x"])
        yield Kill(number, kind if number % _UNKILLED else None, draw.random() < 0.5, moment, beside)


class Command:
    """A `kexport` command in a fork of this process, in a session of its own.

    Args:
        folder: to run in.
        words: the arguments.
    """

    def __init__(self, folder: Path, words: Sequence[str]) -> None:
        self.words = words
        self.log = folder.parent / f"{next(_numbers)}.log"
        self.log.touch()
        self.status: int | None = None
        self.began = time.monotonic()
        handler = signal.signal(signal.SIGINT, signal.SIG_DFL)  # as in a process that has just started
        self.pid = os.fork()
        if self.pid != 0:
            signal.signal(signal.SIGINT, handler)
        else:
            try:
                os.setsid()
                os.chdir(folder)
                with self.log.open("wb") as log:
                    os.dup2(log.fileno(), 1)
                    os.dup2(log.fileno(), 2)
                sys.argv = ["kexport", *words]
                from kexport.cli import main

                main()
            except BaseException:  # noqa: BLE001  the process must not go on as the campaign
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                _leave(99)

    def end(self, number: signal.Signals, *, group: bool) -> None:
        """Send a signal, if it still runs."""
        with contextlib.suppress(ProcessLookupError):
            (os.killpg if group else os.kill)(self.pid, number)

    def wait(self, timeout: float = _LONGEST) -> int:
        """The exit status, negative for a signal."""
        until = time.monotonic() + timeout
        while not self.ended():
            if time.monotonic() > until:
                self.end(signal.SIGKILL, group=True)
                raise TimeoutError(f"{' '.join(self.words)} did not end")
            time.sleep(0.001)
        assert self.status is not None
        return self.status

    def ended(self) -> bool:
        """Whether it has ended."""
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.status = os.waitstatus_to_exitcode(status) if pid else None
        return self.status is not None

    def said(self) -> str:
        """Its output, without what libraries say."""
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(line for line in lines if not line.startswith(("WARNING: All log", "I0000")))

    def processes(self) -> list[int]:
        """The processes of its session that still run."""
        found = []
        for path in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                state, *numbers = path.read_text().rpartition(")")[2].split()
                if state != "Z" and int(numbers[2]) == self.pid:
                    found.append(int(path.parent.name))
        return found
