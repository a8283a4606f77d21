"""Turns errors into a message and an exit code. A bug stays a traceback."""

from __future__ import annotations

import codecs
import contextlib
import errno
import os
import signal
import sys
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn, TextIO

import click

from kexport import cleanup, progress
from kexport.cli import _announcement, _interrupts, _streams
from kexport.current_folder import current_folder
from kexport.errors import FAILED, INTERRUPTED, UNCHECKED, KexportError, UsageError, located
from kexport.home import leave_untouched
from kexport.process_exit import guard_exit, leave
from kexport.scratch import own_temporaries
from kexport.user_output import UserOutput

_BY_SIGNAL = 128  # with the number of a signal, the exit code that shells show for it
_LEAVE_DISPLAY = b"\x1b[?25h\r\n"  # a progress display hides the cursor
_standard_error = 2  # another descriptor while the libraries are kept quiet
_HINTS = {
    errno.EMFILE: "raise the limit of open files: ulimit -n",
    errno.ENOSPC: "free some space",
    errno.EDQUOT: "free some space",
}


def run() -> NoReturn:
    """Run the command line, then exit without waiting for the threads of the libraries to end."""
    _use_utf8()
    for number in (signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as `nohup` and scripts set it for what they start
            signal.signal(number, _on_interrupt)
    _streams.take_over()
    guard_exit()
    leave_untouched()
    from kexport.cli._completion import VARIABLE
    from kexport.cli._group import kexport

    if os.environ.get(VARIABLE):
        _complete(kexport, VARIABLE)
    code: int | None = None
    try:
        code = kexport.main(standalone_mode=False)
    except KexportError as error:
        code = _say(error)
    except click.ClickException as error:
        from kexport.cli._mistakes import as_ours

        code = _say(as_ours(error))
    except click.Abort as end:  # as click calls a KeyboardInterrupt, which no Ctrl-C raises here
        code = _say(_ended(end.__cause__ or end))
    except (OSError, MemoryError, UnicodeEncodeError) as error:
        code = _say(_failure(error))
    except RuntimeError as error:
        if str(error) != "can't start new thread":
            raise
        code = _say(UsageError("there is not enough memory, or there are too many processes", got=error))
    except BaseException as end:
        if isinstance(end, Exception):
            raise
        code = _say(_ended(end))
    budget = sys.modules.get("kexport.parity.budget")
    if budget is not None and budget.searches_stopped() and code in (0, FAILED, UNCHECKED):
        code = INTERRUPTED
    lost = _streams.finish()
    if lost is not None:
        code = _say(UsageError("standard output cannot be written", got=lost.strerror or lost))
        _streams.finish()
    leave(code or 0)


def _complete(group: click.Group, variable: str) -> NoReturn:
    """Answer a shell that asks what completes a line; a line with a mistake in it has no answer."""
    with contextlib.suppress(KexportError, SystemExit):
        group.main(prog_name="kexport", complete_var=variable)
    _streams.finish()
    leave(0)


def _use_utf8() -> None:
    """Start again in Python's UTF-8 mode where the locale is another: the libraries take every path for UTF-8."""
    encoding = codecs.lookup(sys.getfilesystemencoding()).name
    if encoding != "utf-8" and os.environ.get("PYTHONUTF8") != "1" and sys.executable:
        os.environ["PYTHONUTF8"] = "1"
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def _say(error: KexportError) -> int:
    _streams.restore()
    from kexport.cli._screen import echo  # help is shown without it

    _announcement.forget()
    echo(f"error: {error}", err=True)
    return error.exit_code


def _ended(end: BaseException) -> UsageError:
    return UsageError("the code of the model ended the command", got=located(end), hint="remove that call")


def _failure(error: OSError | MemoryError | UnicodeEncodeError) -> UsageError:
    """What this machine refuses, as an error for people."""
    if isinstance(error, MemoryError):
        return UsageError("there is not enough memory", got=str(error) or None)
    if isinstance(error, UnicodeEncodeError):
        return UsageError(
            f"{error.object!r} cannot be written in {error.encoding}",
            hint="rename the file or folder: its name must be valid UTF-8",
        )
    gone = "the current folder has been removed: change to another one"
    hint = _HINTS.get(error.errno or 0) if current_folder() is not None else gone
    names = " and ".join(str(name) for name in (error.filename, error.filename2) if name)
    return UsageError(f"{names or 'a file'} cannot be used", got=error.strerror or error, hint=hint)


def _on_interrupt(number: int, frame: FrameType | None) -> None:
    """Exit at once: an exception raised here would unwind native code that called back into Python, and crash it."""
    _interrupts.heard()
    budget = sys.modules.get("kexport.parity.budget")  # nothing searches unless it is imported
    if number == signal.SIGINT and budget is not None and budget.stop_searches():
        _interrupts.goes_on()
        progress.note("interrupted: the search ends, and reports what it has found; Ctrl-C again ends the command")
        return
    if cleanup.postponed(lambda: _on_interrupt(number, None)):
        return
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    _undo(number)
    if number == signal.SIGINT:
        leave(INTERRUPTED)
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)  # whoever asked for the end sees that it was this signal


def heed_in_native_code() -> None:
    """From now on, have Ctrl-C end the command in native code too; call it after the last fork.

    In a process that is not the command line's alone, another handler may deal with the signal: it is left to that.
    """

    def end(number: int) -> None:
        if signal.getsignal(number) is _on_interrupt:
            _undo(number)
            leave(_BY_SIGNAL + number)

    if signal.getsignal(signal.SIGINT) is _on_interrupt or signal.getsignal(signal.SIGTERM) is _on_interrupt:
        _interrupts.heed_in_native_code(end)


def _undo(number: int) -> None:
    """Clean up, and say why."""
    cleanup.undo_all()
    word = "interrupted" if number == signal.SIGINT else "terminated"
    message = f"{word}: {cleanup.stated()}\n" if cleanup.stated() else f"{word}\n"
    with contextlib.suppress(OSError):
        if os.isatty(_standard_error):
            os.write(_standard_error, _LEAVE_DISPLAY)
        os.write(_standard_error, message.encode(errors="backslashreplace"))


@contextlib.contextmanager
def quiet_libraries() -> Iterator[TextIO]:
    """Within the block, the output of libraries is discarded; yields a stream to the real standard error.

    What the user's own code prints is shown there.
    """
    global _standard_error
    sys.stdout.flush()
    sys.stderr.flush()
    real_out, real_err = os.dup(1), os.dup(2)
    before = sys.stdout, sys.stderr
    _standard_error = real_err
    try:
        with (
            own_temporaries(),
            open(os.devnull, "wb") as nowhere,
            _streams.copy_of(os.dup(real_err), like=2) as stream,
            progress.shown_by(_Lines(stream)),
        ):
            os.dup2(nowhere.fileno(), 1)
            os.dup2(nowhere.fileno(), 2)
            users = UserOutput(progress.note)
            sys.stdout = sys.stderr = users
            try:
                yield stream
            finally:
                users.finish()
    finally:
        os.dup2(real_out, 1)
        os.dup2(real_err, 2)
        _standard_error = 2
        os.close(real_out)
        os.close(real_err)
        sys.stdout, sys.stderr = before
        _streams.restore()


class _Lines:
    """Shows notes alone."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def step(self, words: str) -> None:
        """Shows nothing: the command does not say what it does."""

    def advance(self, share: float | None, said: str) -> None:
        """Shows nothing."""

    def note(self, words: str) -> None:
        """Print a line."""
        print(words, file=self._stream, flush=True)
