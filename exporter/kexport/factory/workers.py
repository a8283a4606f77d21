"""TensorFlow, imported once, and the processes that convert with it.

Importing TensorFlow is most of a small build. So it is imported once, and this process is copied before TensorFlow
has run anything. Where it has run already, new processes import it beside this one.
"""

from __future__ import annotations

import gc
import os
import sys

from kexport.process import QUIET_ENVIRONMENT, Worker


def tensorflow_workers(count: int) -> list[Worker]:
    """Processes that have TensorFlow and Keras; both are imported here too when this returns."""
    if "tensorflow" in sys.modules or sys.platform != "linux":
        workers = [Worker(["tensorflow", "keras"]) for _ in range(count)]
        _import_tensorflow()
        return workers
    _import_tensorflow()
    return [Worker(fork=True) for _ in range(count)]


def _import_tensorflow() -> None:
    """Import TensorFlow and Keras without the garbage collections that cost a fifth of the time."""
    if "keras" in sys.modules:
        return
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
