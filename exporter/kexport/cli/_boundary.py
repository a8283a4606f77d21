"""Turns errors into a message and an exit code. A bug stays a traceback."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn, TextIO

import click

from kexport import cleanup
from kexport.errors import INTERRUPTED, KexportError

_standard_error = 2  # another descriptor while the libraries are kept quiet


def run() -> NoReturn:
    """Run the command line, then exit without waiting for the threads of the libraries to end."""
    signal.signal(signal.SIGINT, _on_interrupt)
    from kexport.cli._group import kexport

    try:
        code = kexport.main(standalone_mode=False)
    except KexportError as error:
        click.echo(f"error: {error}", err=True)
        code = error.exit_code
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except click.Abort:
        code = INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the reader of our output went away: there is nobody to report to
        code = 0
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code or 0)


def _on_interrupt(signum: int, frame: FrameType | None) -> NoReturn:
    """Exit at once: an exception raised here would unwind native code that called back into Python, and crash it."""
    cleanup.undo_all()
    os.write(_standard_error, b"interrupted: nothing was changed\n")
    os._exit(INTERRUPTED)


@contextlib.contextmanager
def quiet_libraries() -> Iterator[TextIO]:
    """Within the block, the output of libraries is discarded; yields a stream to the real standard error."""
    sys.stdout.flush()
    sys.stderr.flush()
    global _standard_error
    real_out, real_err = os.dup(1), os.dup(2)
    _standard_error = real_err
    with tempfile.TemporaryFile() as log, os.fdopen(os.dup(real_err), "w", encoding="utf-8") as stream:
        try:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
            yield stream
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os.dup2(real_out, 1)
            os.dup2(real_err, 2)
            _standard_error = 2
            os.close(real_out)
            os.close(real_err)
