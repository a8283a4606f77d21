"""What LiteRT writes to standard error when its delegate is made, once in a process: nobody asked for it."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import threading
from collections.abc import Iterator

from kexport.user_output import UserOutput

_GREETINGS = (b"INFO: Created TensorFlow Lite", b"INFO: Applying ")
_standard_error = 2
_turn = threading.Lock()
_greeted = False


@contextlib.contextmanager
def without_greeting() -> Iterator[None]:
    """Within the first such block of the process, leave LiteRT's greeting out of standard error, and nothing else.

    What else is written meanwhile, by any thread, follows at the end of the block. Where standard error is kept from
    people anyway, as in worker processes, the log stays as it is.
    """
    global _greeted
    if _greeted or isinstance(sys.stderr, UserOutput) or not _turn.acquire(blocking=False):
        yield
        return
    try:
        with contextlib.ExitStack() as stack:
            try:
                file = stack.enter_context(tempfile.TemporaryFile())
                real = os.dup(_standard_error)
            except OSError:  # a read-only device, or no standard error: the greeting is shown
                yield
                return
            stack.callback(os.close, real)
            os.dup2(file.fileno(), _standard_error)
            try:
                yield
            finally:
                os.dup2(real, _standard_error)
                file.seek(0)
                for line in file:
                    if not line.startswith(_GREETINGS):
                        os.write(real, line)
                _greeted = True
    finally:
        _turn.release()
