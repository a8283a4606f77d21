"""Progress on standard error: a spinner on a terminal, one line per step elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

from kexport.cli import _boundary
from kexport.cli._streams import styled
from kexport.visible import visible

if TYPE_CHECKING:
    from rich.status import Status


class ProgressDisplay:
    """Shows each step as it begins, and on a terminal how long each finished one took."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._status: Status | None = None
        self._step = ""
        self._began = 0.0
        if stream.isatty():
            from rich.console import Console

            self._console = Console(file=styled(stream), highlight=False, markup=False, emoji=False)
            self._status = self._console.status("starting")

    def __call__(self, step: str) -> None:
        """Begin a step, which ends the one before."""
        if self._step:  # the first one imports TensorFlow, and forks
            _boundary.heed_in_native_code()
        self._finish()
        self._step, self._began = step, time.monotonic()
        if self._status is not None:
            self._status.update(visible(step))
        else:
            print(step, file=self._stream, flush=True)

    def _finish(self) -> None:
        if self._step and self._status is not None:
            from rich.text import Text

            took = f" {time.monotonic() - self._began:.1f} s"
            self._console.print(Text.assemble(("ok", "green"), f" {visible(self._step)}", (took, "dim")))
        self._step = ""

    def __enter__(self) -> ProgressDisplay:
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._finish()
        if self._status is not None:
            self._status.stop()
