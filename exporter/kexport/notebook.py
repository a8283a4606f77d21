"""In a notebook: what bundles and reports look like, a bar of progress, and silence of native libraries."""

from __future__ import annotations

import contextlib
import html
import importlib
import importlib.util
import os
import sys
import time
from collections.abc import Iterator

from kexport.errors import KexportError
from kexport.remaining_time import RemainingTime, build_plan
from kexport.visible import visible

_LONGEST = 200  # characters of a plain representation
_USUAL_STEPS = 12  # of a build


def inside() -> bool:
    """Whether this process serves a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None) is not None


def drawn(subject: object) -> str | None:
    """A bundle or a report as a part of an HTML page; None, for its plain text, without Jinja2 or a report to read."""
    if importlib.util.find_spec("jinja2") is None:
        return None
    try:
        text: str = importlib.import_module("kexport.page").drawn(subject)
    except KexportError:
        return None
    return text


def plain(text: str) -> str:
    """A representation in one line, of at most 200 characters."""
    line = visible(" ".join(text.split()))
    return f"<{line if len(line) <= _LONGEST - 2 else line[: _LONGEST - 5] + '...'}>"


class ProgressBar:
    """A bar that is shown in the notebook, and the step that runs.

    Args:
        title: what is done.
    """

    def __init__(self, title: str) -> None:
        self._title, self._count, self._began = title, 0, time.monotonic()
        self._remaining = RemainingTime(build_plan() if title == "build" else {})
        display = importlib.import_module("IPython.display")
        self._as_html = display.HTML
        self._handle = display.display(self._as_html(self._html("starting")), display_id=True)

    def __call__(self, step: object) -> None:
        """Show the next step: a text, or a check that was made."""
        self._count += 1
        subject = getattr(step, "subject", None)
        places = [getattr(step, "kind", ""), *(getattr(subject, name, None) for name in ("artifact", "runtime"))]
        if subject is None:
            self._remaining.begin(str(step), time.monotonic())
        text = str(step) if subject is None else " ".join(str(place) for place in places if place)
        self._handle.update(self._as_html(self._html(text)))

    def end(self, word: str) -> None:
        """Show that it has ended."""
        self._handle.update(self._as_html(self._html(word, whole=True)))

    def _html(self, text: str, *, whole: bool = False) -> str:
        now = time.monotonic()
        elapsed, left = now - self._began, None if whole else self._remaining.left(now)
        times = f"{elapsed:.1f} s" if left is None else f"{elapsed:.1f} s, about {left:.0f} s left"
        words = html.escape(f"{self._title}: {visible(text)}, {times}")
        most = max(_USUAL_STEPS, self._count + 1) if left is None else elapsed + left
        value = most if whole else self._count if left is None else elapsed
        return f'<progress max="{most:g}" value="{value:g}" aria-label="{html.escape(self._title)}"></progress> {words}'


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Within the block, what native libraries write to the descriptors is dropped; Python's own output is not."""
    saved = [os.dup(number) for number in (1, 2)]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        for number in (1, 2):
            os.dup2(nowhere, number)
        yield
    finally:
        for number, descriptor in zip((1, 2), saved, strict=True):
            os.dup2(descriptor, number)
            os.close(descriptor)
        os.close(nowhere)
