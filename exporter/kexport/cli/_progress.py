"""Progress on standard error: a spinner on a terminal, a line a step elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any, TextIO


class Steps:
    """Shows each step as it begins; on a terminal, also how long the finished ones took."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._status: Any = None
        self._step = ""
        self._began = 0.0
        if stream.isatty():
            from rich.console import Console

            self._console = Console(file=stream, highlight=False)
            self._status = self._console.status("starting")

    def __call__(self, step: str) -> None:
        """Begin a step, which ends the one before."""
        self._finish()
        self._step, self._began = step, time.monotonic()
        if self._status is not None:
            self._status.update(step)
        else:
            print(step, file=self._stream, flush=True)

    def _finish(self) -> None:
        if self._step and self._status is not None:
            self._console.print(f"[green]ok[/] {self._step} [dim]{time.monotonic() - self._began:.1f} s[/]")
        self._step = ""

    def __enter__(self) -> Steps:
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
