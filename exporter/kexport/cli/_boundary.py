"""Where errors end: a message and an exit code. A bug stays a traceback."""

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

from kexport.errors import INTERRUPTED, KexportError

_interrupted = False


def run() -> NoReturn:
    """Run the command line, then leave without waiting for the libraries to tidy up their threads."""
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
    except (KeyboardInterrupt, click.Abort):
        code = INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the reader of our output went away: nobody to tell
        code = 0
    except BaseException:
        if not _interrupted:  # a library may turn Ctrl-C into an exception of its own
            raise
        code = INTERRUPTED
    if code == INTERRUPTED:
        click.echo("interrupted: nothing was changed", err=True)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code or 0)


def check_interrupt() -> None:
    """Raise `KeyboardInterrupt` when Ctrl-C was pressed and a library swallowed it."""
    if _interrupted:
        raise KeyboardInterrupt


def _on_interrupt(signum: int, frame: FrameType | None) -> NoReturn:
    global _interrupted
    _interrupted = True
    raise KeyboardInterrupt


@contextlib.contextmanager
def quiet_libraries() -> Iterator[TextIO]:
    """Within the block, what libraries print goes nowhere; gives a stream to the real standard error."""
    sys.stdout.flush()
    sys.stderr.flush()
    real_out, real_err = os.dup(1), os.dup(2)
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
            os.close(real_out)
            os.close(real_err)
