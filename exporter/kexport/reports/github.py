"""The report for GitHub Actions: workflow commands that annotate, and a Markdown table for the job's summary.

https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands. GitHub shows at most ten annotations
of a kind per step; the log and the table hold all of them.
"""

from __future__ import annotations

import re
from pathlib import PurePath

from kexport.bundle.report import Check, Report
from kexport.reports._phrases import (
    NOTHING_COMPARED,
    figure_and_limit,
    figures,
    place,
    short_contract,
    summary,
    verdict,
)

_MOST_ROWS, _MOST_TEXT = 500, 1000  # rows, and characters of a check's detail: GitHub accepts a summary of 1 MiB


def render(report: Report, folder: PurePath | None = None) -> str:
    """The workflow commands of a report, one per line, without a final newline.

    Each failed check is an error, each check that could not be run a warning, a report that compared no numbers is an
    error, and the summary is a notice.

    Args:
        report: the report of the bundle.
        folder: the folder of the bundle, relative to the repository; with it annotations point to files of the bundle.
    """
    commands = []
    for check in report.checks:
        if not check.passed:
            message = "\n".join(part for part in (figures(check), check.detail) if part) or "there are no details"
            commands.append(command("error" if check.ran else "warning", message, **_properties(report, check, folder)))
    if not commands and not report.passed:
        commands.append(command("error", NOTHING_COMPARED, title=f"kexport: {report.bundle}"))
    return "\n".join((*commands, command("notice", summary(report), title=f"kexport: {report.bundle}")))


def command(name: str, message: str, **properties: str) -> str:
    """One workflow command, with everything escaped that GitHub would interpret."""
    arguments = ",".join(f"{key}={_escaped_property(value)}" for key, value in properties.items())
    return f"::{name}{' ' * bool(arguments)}{arguments}::{_escaped(message)}"


def markdown(report: Report) -> str:
    """The report as a Markdown section: the summary and a table of all checks, those that did not pass first."""
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
        _cell(short_contract(check.contract)) if check.contract else check.kind,
        _cell(check.artifact or "-"),
        _cell(check.runtime or "-"),
        _cell(check.output or "-"),
        *figure_and_limit(check),
        check.unit or "-",
    )
    return "| " + " | ".join(cells) + " |"


def _cell(text: str) -> str:
    """The text on one line, with everything escaped that Markdown would interpret."""
    return " ".join(re.sub(r"([\\`*_\[\]<>|#~&])", r"\\\1", text).split())


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escaped_property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")
