"""TensorFlow, imported once, and the processes that convert with it.

Importing TensorFlow is most of a small build. So it is imported once, and this process is copied before TensorFlow
has run anything. Where it may have run already, new processes import it beside this one.
"""

from __future__ import annotations

import gc
import os
import sys

from kexport.process import QUIET_ENVIRONMENT, Worker

_imported_here = False  # by this module, and not by a program that may have run it, in sessions for one


def tensorflow_workers(count: int) -> list[Worker]:
    """Processes that have TensorFlow and Keras; both are imported here too when this returns."""
    if sys.platform != "linux" or not (_imported_here or "tensorflow" not in sys.modules) or _has_run():
        workers = [Worker(["tensorflow", "keras"]) for _ in range(count)]
        import_tensorflow()
        return workers
    import_tensorflow()
    return [Worker(fork=True) for _ in range(count)]


def import_tensorflow() -> None:
    """Import TensorFlow and Keras without the garbage collections that cost a fifth of the time.

    A program that does so first, and runs nothing of them, has its builds copy it too.
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
        import keras  # noqa: F401
    finally:
        gc.freeze()
        if collecting:
            gc.enable()


def _has_run() -> bool:
    """Whether TensorFlow has its devices and threads: a copy of the process has the devices without the threads."""
    context = sys.modules.get("tensorflow.python.eager.context")
    current = context.context_safe() if context is not None else None
    return current is not None and current._initialized
