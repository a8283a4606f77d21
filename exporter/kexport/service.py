"""The main loop of a worker process; `kexport.process` tells the protocol."""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import IO, Any

from kexport.carried_errors import error_to_json
from kexport.confinement import Confinement, confine
from kexport.errors import ModelError, located
from kexport.home import leave_untouched
from kexport.lifeline import follow
from kexport.process_exit import guard_exit
from kexport.scratch import NOWHERE
from kexport.user_code import hear_imports
from kexport.user_output import UserOutput


def serve(lifeline: int, folder: str, preload: Sequence[str], limits: Mapping[str, Any] | None = None) -> None:
    """The main loop of a worker process.

    Args:
        lifeline: of the parent.
        folder: for what libraries write as temporary; empty where there is none.
        preload: modules to import at once.
        limits: what this process may use, as JSON; None for no limits.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C; the lifeline ends with it
    for number in (signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
        signal.signal(number, signal.SIG_DFL)  # a fork has the parent's handlers
    if os.name == "posix":
        follow(lifeline)
    guard_exit()
    leave_untouched()
    tempfile.tempdir = folder or NOWHERE
    if folder:
        os.environ["TMPDIR"] = folder
    if limits:
        confine(Confinement.from_json(limits))  # before anything starts a thread
    tasks, events = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "rb") as nowhere:
        os.dup2(nowhere.fileno(), 0)  # a model's code that asks a question must not read the tasks
    sys.stdin = open(0, closefd=False)  # noqa: SIM115  the process ends with it
    os.dup2(2, 1)  # what a library prints must not mix with the events
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=lambda: _leave_alone(tasks.fileno(), events.fileno()))

    emit = _emitting(events)
    sys.stdout = sys.stderr = UserOutput(lambda line: emit("printed", line), beside=sys.__stderr__)
    hear_imports(lambda name: emit("importing", name))
    import_all(preload)
    for line in tasks:
        task = json.loads(line)
        module, _, function = task["call"].partition(":")
        args = task["args"] if task["bytes"] is None else {**task["args"], "payload": tasks.read(task["bytes"])}
        try:
            for item in getattr(importlib.import_module(module), function)(**args):
                if isinstance(item, bytes):
                    emit("bytes", len(item), item)
                else:
                    emit("item", item)
        except Exception as error:  # noqa: BLE001  it goes to the parent, which raises it
            emit("error", error_to_json(error))
        except BaseException as end:  # noqa: BLE001  it would end the process, and no Ctrl-C arrives here
            ended = ModelError("the code of the model ends the process", got=located(end), hint="remove that call")
            emit("error", error_to_json(ended))
        else:
            emit("done")


def import_all(modules: Sequence[str]) -> None:
    """Import what can be imported of these."""
    # Garbage collections during the import of TensorFlow take a fifth of its time and free nothing.
    gc.disable()
    for name in modules:
        with contextlib.suppress(ImportError):  # the task that needs the module raises the error
            importlib.import_module(name)
    gc.freeze()
    gc.enable()


def start_of(module: str) -> str:
    """What a new process runs, to call the `main` of a module.

    Python puts the current folder first on the import path; a file errors.py there may be any.
    """
    return f"import sys; sys.path[:] = filter(None, sys.path); from {module} import main; main()"


def _emitting(events: IO[bytes]) -> Callable[..., None]:
    """Writes events to the parent, whole: the user's code may print from any thread."""
    turn = threading.RLock()

    def emit(event: str, value: object = None, content: bytes = b"") -> None:
        with turn:
            events.write(json.dumps([event, value]).encode() + b"\n")
            events.write(content)
            events.flush()

    return emit


def _leave_alone(*descriptors: int) -> None:
    """In a fork that the user's code made: hold neither stream open, or the parent would wait for this process too."""
    with open(os.devnull, "r+b") as nowhere:
        for descriptor in descriptors:
            os.dup2(nowhere.fileno(), descriptor, inheritable=False)


def main() -> None:
    """Serve as a worker process, with the arguments that `Worker` passes."""
    lifeline, folder, limits, *preload = sys.argv[1:]
    serve(int(lifeline), folder, preload, json.loads(limits))
