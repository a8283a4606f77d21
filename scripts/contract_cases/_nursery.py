"""Cases in processes of their own: copies of one that has imported everything and run nothing."""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

MODULES = (
    "tf2onnx", "tf2onnx.convert", "onnx", "onnxruntime", "ai_edge_litert.interpreter", "scipy.signal", "kexport_layers",
    "kexport.factory.pipeline", "kexport.factory.exports", "kexport.factory.truth.oracle",
    "kexport.factory.trace.program",
    "kexport.factory.truth.goldens", "kexport.factory.inputs.domains", "kexport.field.verification",
)  # fmt: skip
_TIMEOUT = 900.0


def prepare() -> None:
    """Import what a case needs; nothing may be run here, or the copies of this process would hang."""
    from kexport.factory.tensorflow_workers import import_tensorflow

    assert "keras" not in sys.modules, "imported before, and perhaps run: builds could not copy this process"
    import_tensorflow()
    for module in MODULES:
        importlib.import_module(module)


def outcomes(
    work: Callable[[str, Path], dict[str, Any]], names: Sequence[str], folder: Callable[[str], Path], jobs: int
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Let each case work in its folder; what it gives, or `{"problem": why}`.

    Args:
        work: of a name and a folder that exists.
        names: of the cases.
        folder: of a case.
        jobs: how many at a time.
    """
    waiting, running = list(reversed(names)), {}
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                name = waiting.pop()
                running[_start(work, name, folder(name))] = name, time.monotonic()
            for process, (name, began) in list(running.items()):
                late = time.monotonic() - began > _TIMEOUT
                if late:
                    _kill(process)
                done, status = os.waitpid(process, 0 if late else os.WNOHANG)
                if done:
                    del running[process]
                    _kill(process)  # what it has started
                    yield name, _read(folder(name), status)
            time.sleep(0.05)
    finally:
        for process in running:
            _kill(process)


def _start(work: Callable[[str, Path], dict[str, Any]], name: str, folder: Path) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "result.json").unlink(missing_ok=True)
    sys.stdout.flush()
    process = os.fork()
    if process:
        return process
    os.setsid()
    log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)
    try:
        answer = work(name, folder)
    except BaseException:  # noqa: BLE001  told to the parent
        answer = {"problem": traceback.format_exc()[-3000:]}
    (folder / "result.json").write_text(json.dumps(answer))
    os._exit(0)


def _read(folder: Path, status: int) -> dict[str, Any]:
    path = folder / "result.json"
    if not path.exists():
        return {"problem": f"the process ended with {os.waitstatus_to_exitcode(status)}"}
    return dict(json.loads(path.read_text()))


def _kill(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        pass  # all of it has ended
