"""The report as GitHub Actions takes it: workflow commands that annotate, and a Markdown table for the job's summary.

https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands. GitHub shows ten annotations of a
kind for each step; the log and the table hold all of them.
"""

from __future__ import annotations

import re
from pathlib import PurePath

from kexport.bundle.report import Check, Report
from kexport.reports._wording import NOTHING_COMPARED, figure_and_limit, figures, place, promise, summary, verdict

_MOST_ROWS, _MOST_TEXT = 500, 1000  # rows, and characters of a detail: a summary may have 1 MiB


def render(report: Report, folder: PurePath | None = None) -> str:
    """The workflow commands of a report, one a line, without a final newline.

    An error for each check that failed, a warning for each that could not be made, an error when no number was
    compared, and the summary as a notice.

    Args:
        report: of the bundle.
        folder: of the bundle, relative to the repository; annotations then point to its files.
    """
    said = []
    for check in report.checks:
        if not check.passed:
            message = "\n".join(part for part in (figures(check), check.detail) if part) or "no more is known"
            said.append(command("error" if check.ran else "warning", message, **_properties(report, check, folder)))
    if not said and not report.passed:
        said.append(command("error", NOTHING_COMPARED, title=f"kexport: {report.bundle}"))
    return "\n".join((*said, command("notice", summary(report), title=f"kexport: {report.bundle}")))


def command(name: str, message: str, **properties: str) -> str:
    """One workflow command; what GitHub would read as its syntax is escaped."""
    written = ",".join(f"{key}={_escaped_property(value)}" for key, value in properties.items())
    return f"::{name}{' ' * bool(written)}{written}::{_escaped(message)}"


def markdown(report: Report) -> str:
    """The report as a Markdown section: the summary, and a table of all checks, those that did not pass first."""
    rows = sorted(report.checks, key=lambda check: check.passed)
    text = [f"### {'✅' if report.passed else '❌'} {_cell(summary(report))}", ""]
    if rows:
        text += ["| verdict | check | artifact | runtime | output | figure | limit | unit |", "|" + " --- |" * 8]
        text += [_row(check) for check in rows[:_MOST_ROWS]]
    if len(rows) > _MOST_ROWS:
        text += ["", f"and {len(rows) - _MOST_ROWS} more"]
    for check in rows[:_MOST_ROWS]:
        if not check.passed:
            text += ["", f"**{verdict(check)}** {_cell(place(check))}: {_cell(check.detail[:_MOST_TEXT])}"]
    text += [line for note in report.notes for line in ("", f"note: {_cell(str(note))}")]
    return "\n".join(text) + "\n\n"


def _properties(report: Report, check: Check, folder: PurePath | None) -> dict[str, str]:
    title = f"kexport: {report.bundle}: {check.kind} {verdict(check)}, {place(check)}"
    if folder is None:
        return {"title": title}
    return {"title": title, "file": (folder / (check.artifact or "manifest.json")).as_posix()}


def _row(check: Check) -> str:
    cells = (
        f"**{verdict(check)}**" if not check.passed else verdict(check),
        _cell(promise(check.contract)) if check.contract else check.kind,
        _cell(check.artifact or "-"),
        _cell(check.runtime or "-"),
        _cell(check.output or "-"),
        *figure_and_limit(check),
        check.unit or "-",
    )
    return "| " + " | ".join(cells) + " |"


def _cell(text: str) -> str:
    """Text that Markdown shows as it is, on one line."""
    return " ".join(re.sub(r"([\\`*_\[\]<>|#~&])", r"\\\1", text).split())


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escaped_property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")
