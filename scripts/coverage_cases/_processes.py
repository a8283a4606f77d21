"""Cases in processes of their own: copies of one that has imported everything and run nothing."""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kexport
from coverage_cases._case import Case

_MODULES = (
    "tf2onnx", "tf2onnx.convert", "onnx", "onnxruntime", "ai_edge_litert.interpreter", "coverage_cases._export",
)  # fmt: skip


@dataclass
class _Running:
    case: Case
    process: int
    pipe: int
    started: float
    folder: str
    text: bytes = b""

    @property
    def late(self) -> bool:
        return time.monotonic() - self.started > self.case.timeout


def prepare() -> None:
    """Import all that a case needs; nothing may be run here, or the copies of this process would hang."""
    from kexport.factory.tensorflow_workers import import_tensorflow

    assert "keras" not in sys.modules, "imported before, and perhaps run: builds could not copy this process"
    import_tensorflow()
    for module in [*_MODULES, *(found.name for found in pkgutil.walk_packages(kexport.__path__, "kexport."))]:
        if not module.endswith("__main__"):
            importlib.import_module(module)


def outcomes(cases: Sequence[Case], jobs: int) -> Iterator[tuple[Case, Any, float]]:
    """Each case with its outcome, or the text of what is wrong with it, and the seconds it took."""
    waiting, running = list(reversed(cases)), []
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                running.append(_start(waiting.pop()))
            ready, _, _ = select.select([each.pipe for each in running], [], [], 1.0)
            for each in list(running):
                ended = each.pipe in ready and not _read(each)
                if ended or each.late:
                    running.remove(each)
                    yield each.case, _finish(each, ended), time.monotonic() - each.started
    finally:
        for each in running:
            _finish(each, False)


def _start(case: Case) -> _Running:
    folder = tempfile.mkdtemp(prefix="coverage_")
    reading, writing = os.pipe()
    sys.stdout.flush()
    process = os.fork()
    if process == 0:
        os.setsid()
        os.close(reading)
        _child(case, folder, writing)
    os.close(writing)
    return _Running(case, process, reading, time.monotonic(), folder)


def _child(case: Case, folder: str, writing: int) -> None:
    silence = os.open(os.path.join(folder, "log"), os.O_WRONLY | os.O_CREAT)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    try:
        answer: Any = sys.modules["coverage_cases._export"].export(case, Path(folder))
    except BaseException:  # noqa: BLE001  told to the parent
        answer = traceback.format_exc()
    with os.fdopen(writing, "w") as pipe:
        pipe.write(json.dumps(answer))
    os._exit(0)


def _read(each: _Running) -> bytes:
    part = os.read(each.pipe, 1 << 16)
    each.text += part
    return part


def _finish(each: _Running, ended: bool) -> Any:
    """What the process said; it and all that it started are ended."""
    if not ended:
        _kill(each.process)
    _, status = os.waitpid(each.process, 0)
    _kill(each.process)
    os.close(each.pipe)
    shutil.rmtree(each.folder, ignore_errors=True)
    if not ended:
        return dict.fromkeys(each.case.formats, ("crash", f"took longer than {each.case.timeout:g} s"))
    if not each.text:
        return dict.fromkeys(each.case.formats, ("crash", f"ended with {os.waitstatus_to_exitcode(status)}"))
    return json.loads(each.text)


def _kill(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        pass  # all of it has ended
