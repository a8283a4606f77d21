"""Run each case in its own process, forked from this one, which has imported everything and run nothing.

A fork starts at once, while a new process would spend seconds importing TensorFlow; and a case that crashes, hangs or
leaves state behind affects no other.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_MODULES = ("tf2onnx", "tf2onnx.convert", "onnx", "onnxruntime", "ai_edge_litert.interpreter", "scipy.signal")


@dataclass(frozen=True)
class Task:
    """One case.

    Attributes:
        name: the name of the case.
        work: gets a folder that exists, and returns what JSON can hold.
        folder: to work in, kept; a temporary one if None.
        timeout: seconds after which it is ended.
    """

    name: str
    work: Callable[[Path], Any]
    folder: Path | None = None
    timeout: float = 900.0


@dataclass(frozen=True)
class Outcome:
    """The outcome of a task: a result, the traceback of an error, or how its process ended without either.

    Attributes:
        task: the task.
        seconds: how long it took.
        result: what its work returned.
        error: the traceback of what its work raised.
        crash: how the process ended.
    """

    task: Task
    seconds: float
    result: Any = None
    error: str = ""
    crash: str = ""


def import_everything(*also: str) -> None:
    """Import what a case needs, and these modules. Nothing may run here, or forks of this process would hang."""
    import kexport
    from kexport.factory.tensorflow_workers import import_tensorflow

    assert "keras" not in sys.modules, "imported before, and perhaps run: builds could not copy this process"
    import_tensorflow()
    ours = [module.name for module in pkgutil.walk_packages(kexport.__path__, "kexport.")]
    for module in [*_MODULES, *ours, *also]:
        if not module.endswith("__main__"):
            importlib.import_module(module)


def outcomes(tasks: Sequence[Task], jobs: int) -> Iterator[Outcome]:
    """Run the tasks, several at a time; yields each outcome as soon as the task has ended."""
    waiting, running = list(reversed(tasks)), list[_Running]()
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                running.append(_Running(waiting.pop()))
            for each in list(running):
                if each.ended():
                    running.remove(each)
                    yield each.outcome()
            time.sleep(0.05)
    finally:
        for each in running:
            each.kill()


class _Running:
    """The process of a task.

    Args:
        task: starts at once.
    """

    def __init__(self, task: Task) -> None:
        self.task, self._start = task, time.monotonic()
        self._temporary = None if task.folder else tempfile.TemporaryDirectory(prefix="case_")
        self._folder = task.folder or Path(self._temporary.name if self._temporary else "")
        self._folder.mkdir(parents=True, exist_ok=True)
        self._answer = self._folder / "result.json"
        self._answer.unlink(missing_ok=True)
        self._end = ""
        sys.stdout.flush()
        self._process = os.fork()
        if self._process == 0:
            self._work()

    def _work(self) -> None:
        os.setsid()
        log = os.open(self._folder / "log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(log, 1)
        os.dup2(log, 2)
        tempfile.tempdir = str(self._folder)  # TensorFlow removes its own at an exit that this process does not make
        answer: dict[str, Any] = {}
        try:
            answer["result"] = self.task.work(self._folder)
        except BaseException:  # noqa: BLE001  reported by the parent
            answer["error"] = traceback.format_exc()
        self._answer.write_text(json.dumps(answer))
        os._exit(0)

    def ended(self) -> bool:
        """Whether the process has ended, or was ended just now because its time is up."""
        late = time.monotonic() - self._start > self.task.timeout
        if late:
            self.kill()
        process, status = os.waitpid(self._process, 0 if late else os.WNOHANG)
        if process:
            self.kill()  # what it started
            code = os.waitstatus_to_exitcode(status)
            self._end = f"took longer than {self.task.timeout:g} s" if late else f"ended with {code}"
        return bool(process)

    def outcome(self) -> Outcome:
        """The outcome of the task, once its process has ended."""
        answer = json.loads(self._answer.read_text()) if self._answer.exists() else {"crash": self._end}
        if self._temporary:
            self._temporary.cleanup()
        return Outcome(self.task, time.monotonic() - self._start, **answer)

    def kill(self) -> None:
        """End the process and all that it started."""
        try:
            os.killpg(self._process, signal.SIGKILL)
        except ProcessLookupError:
            pass  # all of it has ended
