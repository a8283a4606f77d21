"""Required runtimes: each must compare at least one output, or the report is incomplete."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from kexport import runtimes as known_runtimes
from kexport.bundle.facts import RuntimeNote
from kexport.bundle.folder import Bundle
from kexport.bundle.report import Check, CheckKind, Report, Subject
from kexport.errors import UsageError
from kexport.runtimes import Runtime


def names_of(text: str, option: str = "--require") -> tuple[str, ...]:
    """The runtimes that a text such as `litert,onnxruntime` names, each once.

    Raises:
        UsageError: it names none, or one that does not exist.
    """
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not names:
        raise UsageError(f"{option} names no runtime", expected=f"for example {option} litert,onnxruntime")
    for name in names:
        known_runtimes.get(name)
    return names


def including(runtimes: Sequence[str] | None, required: Sequence[str]) -> list[str] | None:
    """The names of the requested runtimes and the required ones; None, for all that are installed, stays None."""
    return None if not runtimes else list(dict.fromkeys((*runtimes, *required)))


def require(report: Report, bundle: Bundle, required: Sequence[str]) -> Report:
    """The report, with an additional check that was not run for each required runtime that compared nothing.

    A runtime that already has a check that failed or was not run gets no further one.
    """
    answered = {check.runtime for check in report.checks if check.compared or not check.passed}
    missing = [known_runtimes.get(name) for name in dict.fromkeys(required) if name not in answered]
    checks = [
        Check.not_run(CheckKind.RUNTIME, Subject(runtime=runtime.name), f"required, and {_why(runtime, bundle)}")
        for runtime in missing
    ]
    names = {runtime.name for runtime in missing}
    notes = [note for note in report.notes if not (isinstance(note, RuntimeNote) and note.runtime in names)]
    return replace(report, checks=(*report.checks, *checks), notes=tuple(notes))


def _why(runtime: Runtime, bundle: Bundle) -> str:
    if not bundle.artifacts_of(runtime.reads):
        return f"the bundle holds no {runtime.reads} artifact: build it with --formats {runtime.reads}"
    if not runtime.installed:
        return f"not installed: {runtime.package.install_command}"
    return "no output was compared in it"
