"""Commands that read a bundle, and are killed."""

from __future__ import annotations

import os
import random
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from kill_cases.commands import ORPHANS_AFTER, Command, Kill

REFERENCE = Path(__file__).resolve().parents[2] / "artifacts" / "reference" / "lowpass"
_SOME = ("--runtime", "onnxruntime", "--runtime", "litert")
#: The commands that read a bundle, by name.
READERS: Mapping[str, Sequence[str]] = {
    "verify": ("verify", "b", *_SOME),
    "search": ("verify", "b", *_SOME, "--search", "20"),
    "compare": ("compare", "b", "b", *_SOME),
    "run": ("run", "b", "--input", "x.csv", "--output", "y.csv", "--runtime", "litert"),
    "inspect": ("inspect", "b/model.onnx"),
    "localise": ("localise", "b", "--runtime", "onnxruntime"),
}


class ReadersCampaign:
    """Commands that read a bundle, kills and judges.

    Args:
        folder: to work in.
        say: prints a line.
    """

    def __init__(self, folder: Path, say: Callable[[str], None] = print) -> None:
        self.place, self.temporary = folder / "place", folder / "temporary"
        self.temporary.mkdir()
        shutil.copytree(REFERENCE, self.place / "b")
        (self.place / "x.csv").write_text("1\n2\n3\n")
        os.environ["TMPDIR"] = str(self.temporary)
        tempfile.tempdir = None
        self.say = say
        self.faults: list[str] = []
        self.counts: Counter[str] = Counter()
        self.state = self._files()
        self.output = b""
        self.takes = {name: self._measured(words) for name, words in READERS.items()}

    def _measured(self, words: Sequence[str]) -> float:
        command = Command(self.place, words)
        if command.wait():
            raise RuntimeError(command.said())
        self.output = self._output() or self.output
        return time.monotonic() - command.began

    def _output(self) -> bytes | None:
        """What `run` wrote, which is removed."""
        path = self.place / "y.csv"
        content = path.read_bytes() if path.exists() else None
        path.unlink(missing_ok=True)
        return content

    def _files(self) -> dict[str, bytes]:
        paths = (path for path in self.place.rglob("*") if path.is_file())
        return {path.relative_to(self.place).as_posix(): path.read_bytes() for path in paths}

    def run(self, kill: Kill) -> None:
        """One command, its end, and the judgement of what it leaves."""
        name = random.Random(kill.number).choice(list(READERS))
        command = Command(self.place, READERS[name])
        if kill.signal is not None:
            until = command.began + (0.98 if kill.moment is None else kill.moment) * self.takes[name]
            while time.monotonic() < until and not command.ended():
                time.sleep(0.002)
            command.end(kill.signal, group=kill.group)
        status = command.wait()
        time.sleep(0 if not command.processes() else ORPHANS_AFTER)
        said, written, files = command.said(), self._output(), self._files()
        allowed = {0} if kill.signal is None else {0, -kill.signal, *([130] if kill.signal == signal.SIGINT else [])}
        truths = {
            f"exit {status}: {said[-300:]}": status in allowed,
            f"half an output: {written!r}": written in (None, self.output),
            "exit 0 without the output": status != 0 or name != "run" or written is not None,
            f"the folder has changed: {sorted(files.keys() ^ self.state.keys())}": files == self.state,
            f"a traceback: {said[-600:]}": "Traceback" not in said,
            f"processes are left: {command.processes()}": not command.processes(),
        }
        if kill.signal is None:
            left = [path.name for path in self.temporary.iterdir()]
            truths[f"left behind: {left}"] = not left
        for words in (words for words, true in truths.items() if not true):
            self.faults.append(f"{kill}, {name}: {words}")
            self.say(f"FAULT {self.faults[-1]}")
        self.counts[f"{name}, {'ended' if status == 0 else 'killed'}"] += 1
