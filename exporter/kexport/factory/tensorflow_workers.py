"""Processes that convert with TensorFlow, which is imported only once where that is safe.

The import of TensorFlow is most of a small build. So this process imports it, and is forked before TensorFlow has run
anything. Where TensorFlow may have run already, another process imports it, for this build and those that follow.
"""

from __future__ import annotations

import contextlib
import gc
import os
import sys
import threading

from kexport.confinement import Confinement
from kexport.errors import UsageError
from kexport.fork_server import ForkServer
from kexport.process import QUIET_ENVIRONMENT, Worker, worker_environment
from kexport.runtimes.keras_model import import_keras

_MODULES = ("tensorflow", "keras")
_server: ForkServer | None = None
_starting = threading.Lock()
_imported_here = False  # by this module; a program that imported it may have run it too
_without_threads = False  # of TensorFlow, which had some before this process was forked


def tensorflow_workers(count: int, spare: int = 0) -> list[Worker]:
    """Start processes that have TensorFlow and Keras; this one has them too when this returns.

    Args:
        count: how many.
        spare: how many more, where they cost next to nothing: where they are forked.

    Raises:
        UsageError: TensorFlow would wait for ever in this process.
    """
    if _without_threads:
        raise UsageError(
            "TensorFlow cannot run in this process",
            got="a fork of a process in which TensorFlow had run: its threads are not here",
            expected="a process that is started anew",
            hint='multiprocessing.get_context("spawn"), or fork before anything of TensorFlow runs',
        )
    if not _may_fork():
        workers = [_distant_worker(None) for _ in range(count)]
        import_tensorflow()
        return workers
    import_tensorflow()
    return [Worker(fork=True) for _ in range(count + spare)]


def forked_worker(confinement: Confinement | None) -> Worker:
    """One process that has TensorFlow and Keras, confined so; for those who need many in turn, imported once, here."""
    if not _may_fork():
        return _distant_worker(confinement)
    import_tensorflow()
    return Worker(fork=True, confinement=confinement)


def _distant_worker(confinement: Confinement | None) -> Worker:
    """One process that has TensorFlow and Keras, whatever this one has run; where one can be forked, of a server."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # no descriptors left, or a system without those of processes
            return Worker(server=_fork_server(), confinement=confinement)
    return Worker(_MODULES, confinement=confinement)


def _fork_server() -> ForkServer:
    """The server of this process, started anew where it has ended or other settings hold."""
    global _server
    with _starting:
        environment = worker_environment()
        if _server is None or not _server.serves(environment):
            if _server is not None:
                _server.retire()  # a build in another thread may have workers of it
            _server = ForkServer(_MODULES, environment)
        return _server


def import_tensorflow() -> None:
    """Import TensorFlow and Keras without garbage collection, which costs a fifth of the time.

    A program that calls this first, and runs nothing of TensorFlow, has its builds fork too.
    """
    global _imported_here
    if "keras" in sys.modules:
        return
    _imported_here = "tensorflow" not in sys.modules
    for name, value in QUIET_ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    collecting = gc.isenabled()
    gc.disable()
    try:
        import_keras()
    finally:
        gc.freeze()
        if collecting:
            gc.enable()


def _may_fork() -> bool:
    return sys.platform == "linux" and (_imported_here or "tensorflow" not in sys.modules) and not _has_run()


def _has_run() -> bool:
    """Whether TensorFlow has started its devices and threads: a fork has the devices without the threads."""
    context = sys.modules.get("tensorflow.python.eager.context")
    current = context.context_safe() if context is not None else None
    return current is not None and current._initialized


def _note_fork() -> None:
    global _without_threads
    _without_threads = _has_run()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_note_fork)


def settle_threads() -> None:
    """Make the threads of this process, as many as its environment says, before a converter makes some.

    All of TensorFlow in a process shares those that are made first. The converters make one for each core, and the last
    bits of what the same process computes later would depend on the number of cores.
    """
    import tensorflow as tf

    tf.config.list_logical_devices("CPU")
