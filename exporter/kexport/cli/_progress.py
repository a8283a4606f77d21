"""Progress on standard error: on a terminal a bar with the time that it took and takes, elsewhere one line per step."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Mapping
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, TextIO

from kexport import progress
from kexport.cli import _announcement, _boundary
from kexport.cli._announcement import is_terminal
from kexport.cli._streams import styled
from kexport.remaining_time import RemainingTime
from kexport.screen_text import screen_width, wrapped
from kexport.visible import visible

if TYPE_CHECKING:
    from rich.console import RenderableType

_BAR = 20  # columns
_BETWEEN_LINES = 60.0  # seconds of a step after which a pipe gets another line


@contextlib.contextmanager
def working(
    step: str, plan: Mapping[str, float] = MappingProxyType({}), *, stays: bool = True
) -> Iterator[ProgressDisplay]:
    """Within the block, show what is done, and keep libraries quiet.

    Args:
        step: the first step.
        plan: of the steps, as `RemainingTime` takes it, where it is known.
        stays: whether a terminal goes on to show the steps that are done.
    """
    _announcement.forget(_announcement.said())
    with (
        _boundary.quiet_libraries() as stream,
        ProgressDisplay(stream, plan, stays=stays) as display,
        progress.shown_by(display),
    ):
        display.step(step)
        yield display


class ProgressDisplay:
    """Shows each step as it begins, and on a terminal how long each finished one took.

    Args:
        stream: to show it on.
        plan: of the steps, as `RemainingTime` takes it, where it is known.
        stays: whether a terminal goes on to show the steps that are done.
    """

    def __init__(self, stream: TextIO, plan: Mapping[str, float] = MappingProxyType({}), *, stays: bool = True) -> None:
        self._stream, self._planned, self._stays = stream, bool(plan), stays
        self._remaining = RemainingTime(plan)
        self._step, self._began = "", 0.0
        self._start = self._last_line = time.monotonic()
        self._share: float | None = None
        self._said = ""
        self._live = _live(stream, self) if is_terminal(stream) else None

    def __call__(self, step: str) -> None:
        """Begin a step, which ends the one before."""
        self.step(step)

    def step(self, words: str) -> None:
        """Begin a step, which ends the one before; a pipe gets no line twice in a row."""
        if words == self._step:
            return
        if self._step:  # the first one imports TensorFlow, and forks
            _boundary.heed_in_native_code()
        self._finish()
        self._step, self._began = words, time.monotonic()
        self._remaining.begin(words, self._began)
        self._share, self._said = None, ""
        if self._live is None:
            self._last_line = self._began
            if words != _announcement.said() and self._stays:
                print(words, file=self._stream, flush=True)
            _announcement.forget(words)

    def advance(self, share: float | None, said: str) -> None:
        """Take how far the step is, and figures so far."""
        self._share, self._said = share, said
        if self._live is None and time.monotonic() - self._last_line > _BETWEEN_LINES:
            self._last_line = time.monotonic()
            print(f"{self._step}: {said}, {self._times(self._last_line)}", file=self._stream, flush=True)

    def note(self, words: str) -> None:
        """Show a line that stays, above the bar."""
        if self._live is None:
            print(words, file=self._stream, flush=True)
        else:
            from rich.text import Text

            self._live.console.print(Text(visible(words)), soft_wrap=True)

    def __rich__(self) -> RenderableType:
        """The lines that change, as rich renders them several times a second."""
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.spinner import Spinner
        from rich.table import Table
        from rich.text import Text

        now = time.monotonic()
        elapsed, left = self._elapsed_and_left(now)
        share = None if left is None else min(0.99, elapsed / max(elapsed + left, 1e-9))
        width = self._live.console.width if self._live is not None else 80
        lines = wrapped(", ".join(filter(None, (self._step, self._said))), width - 3)
        row = Table.grid(padding=(0, 1))
        bar = ProgressBar(total=1.0, completed=share or 0.0, width=_BAR, pulse=share is None)
        row.add_row(
            Spinner("dots" if _draws(self._stream) else "line"), bar, Text(self._times(now), "dim", no_wrap=True)
        )
        return Group(*(Text(line, no_wrap=True) for line in lines), row)

    def _elapsed_and_left(self, now: float) -> tuple[float, float | None]:
        """The seconds that the whole took so far, or the step where there is no plan; and those that it will take."""
        return now - (self._start if self._planned else self._began), self._remaining.left(now, self._share)

    def _times(self, now: float) -> str:
        """The time that it took so far and, where that can be told, the time that it will take."""
        elapsed, left = self._elapsed_and_left(now)
        if left is None or elapsed < 0.5:
            return f"{_clock(elapsed)} elapsed"
        return f"{_clock(elapsed)} elapsed, about {_clock(left)} left"

    def _finish(self) -> None:
        if self._step and self._live is not None and self._stays:
            from rich.text import Text

            took = f"{time.monotonic() - self._began:.1f} s"
            said = ", ".join(filter(None, (visible(self._step), self._said, took)))
            first, *rest = wrapped(said, self._live.console.width, "ok ")
            self._live.console.print(Text.assemble(("ok", "green"), first[2:]), soft_wrap=True)
            for line in rest:
                self._live.console.print(Text(line), soft_wrap=True)
        self._step = ""

    def __enter__(self) -> ProgressDisplay:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._finish()
        if self._live is not None:
            self._step = self._said = ""
            self._live.stop()


def _live(stream: TextIO, shown: ProgressDisplay):  # type: ignore[no-untyped-def]  # rich is imported here
    """A display that neither takes the standard streams of the process, nor stays when it ends."""
    from rich.console import Console
    from rich.live import Live

    console = Console(
        file=styled(stream),
        width=screen_width(stream),
        color_system=None if os.environ.get("NO_COLOR") else "auto",
        highlight=False,
        markup=False,
        emoji=False,
    )
    return Live(
        shown, console=console, transient=True, redirect_stdout=False, redirect_stderr=False, refresh_per_second=5
    )


def _draws(stream: TextIO) -> bool:
    return (getattr(stream, "encoding", "") or "").lower().startswith("utf")


def _clock(seconds: float) -> str:
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
