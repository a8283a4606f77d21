"""Renders the report as tables for people, followed by the failures in words."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import TextIO

from rich.console import Console
from rich.text import Text

from kexport.bundle.folder import Bundle
from kexport.bundle.report import Check, CheckKind, Report
from kexport.parity.outcome import UNIT
from kexport.reports._adequacy import adequacy_summary
from kexport.reports._budgets import LEGEND, budget_rows
from kexport.reports._failures import failure_heading, failure_summary
from kexport.reports._kernels import STEPS_LEGEND, kernel_steps
from kexport.reports._metrics import metric_legend, metric_rows
from kexport.reports._phrases import fact_lines, figure_and_limit, number, short_contract, size, verdict
from kexport.reports._table import VERDICT, TextColumn, TextTable, table
from kexport.screen_text import screen_width, wrapped

_CONTRACT_WIDTH = 44
_LEAST_PROMISE = 60  # characters, in several lines where the page is narrower
_TABLE_KINDS = (CheckKind.PARITY, CheckKind.RUNTIME, CheckKind.EXPORT)
_STYLES = {"pass": "green", "FAIL": "bold red", "not checked": "bold yellow"}
_SAID = re.compile(rf"\s*({'|'.join(_STYLES)})\b")


class _Page:
    """Prints lines in the width of a stream: plain where it is no terminal, or NO_COLOR is set."""

    def __init__(self, stream: TextIO) -> None:
        self.width = screen_width(stream)
        plain = bool(os.environ.get("NO_COLOR"))
        self._console = Console(
            file=stream, color_system=None if plain else "auto", highlight=False, markup=False, emoji=False
        )

    def line(self, text: str, style: str = "") -> None:
        """Print a line as it is; a verdict at its beginning has its colour."""
        styled = Text(text, style=style)
        if found := _SAID.match(text):
            styled.stylize(_STYLES[found[1]], *found.span(1))
        self._console.print(styled, soft_wrap=True)

    def prose(self, text: str, style: str = "", first: str = "") -> None:
        """Print a text, broken between words."""
        for line in wrapped(text, self.width, first):
            self.line(line, style)

    def table(self, made: TextTable) -> None:
        """Print a table."""
        if made.header:
            self.line(made.header, "bold")
        for line in made.lines:
            self.line(line)


def show(report: Report, bundle: Bundle, stream: TextIO) -> None:
    """Print the tables of parity, search and promises, then the checks that did not pass, then the notes.

    Args:
        report: the report of the bundle.
        bundle: for the sizes of its artifacts.
        stream: to print to.
    """
    page = _Page(stream)
    several = len(bundle.signature.outputs) > 1
    _show_parity(report, bundle, page, several)
    if figures := [check for check in report.checks if check.kind is CheckKind.METRIC and check.figure is not None]:
        page.table(_metric_table(figures, page.width))
        for line in metric_legend(figures):
            page.prose(line, "dim")
    if budgets := [check for check in report.checks if check.kind is CheckKind.BUDGET]:
        page.table(_budget_table(budgets, page.width))
        page.prose(LEGEND, "dim")
    searches = [check for check in report.checks if check.kind is CheckKind.SEARCH]
    if searches:
        page.table(_search_table(searches, page.width))
        page.prose(_search_legend(searches), "dim")
    _show_contracts([check for check in report.checks if check.kind is CheckKind.CONTRACT], page, several)
    for check in report.checks:
        if check.kind is CheckKind.MODEL and check.passed:
            page.prose(f"the model itself: {check.detail}", "dim")
    for check in report.checks:
        if check.kind is CheckKind.ADEQUACY and check.passed and (words := adequacy_summary(check)):
            page.prose(words, "dim")
    changed = [check for check in report.checks if check.kind is CheckKind.REBUILD and not check.passed]
    for check in changed:
        page.prose(f"differs: {check.artifact or '-'}")
        page.prose(check.detail, first="  ")
    others = [check for check in report.checks if check.kind is not CheckKind.REBUILD]
    for line in failure_summary(others):
        page.prose(line.strip(), first=" " * (len(line) - len(line.lstrip())))
    for check in others:
        if not check.passed:
            page.prose(f"{verdict(check)} {failure_heading(check)}")
            for fact in fact_lines(check):
                page.prose(fact, first="  ")
    for note in report.notes:
        page.prose(f"note: {note}", "dim")


def _show_parity(report: Report, bundle: Bundle, page: _Page, several: bool) -> None:
    """The outputs on the goldens, and what the table says nothing of."""
    sizes = {artifact.path: artifact.bytes for artifact in bundle.manifest.artifacts}
    rows = [check for check in report.checks if check.kind in _TABLE_KINDS]
    if rows:
        made = _parity_table(rows, sizes, several, page.width)
        page.table(made)
        if any(check.unit == UNIT for check in rows):
            page.prose(_legend(rows, floors=not made.header or "x floor" in made.header), "dim")
        if any(map(kernel_steps, rows)) and (not made.header or "LSB" in made.header):
            page.prose(STEPS_LEGEND, "dim")
    for remark in dict.fromkeys(remark for check in report.checks for remark in _judged_apart(check)):
        page.prose(remark, "dim")


def _parity_table(rows: list[Check], sizes: Mapping[str, int], several: bool, width: int) -> TextTable:
    """One row per artifact, runtime and output: size, error, noise floors, signal-to-error ratio, limit, verdict."""
    columns = [VERDICT, TextColumn("artifact"), TextColumn("runtime"), *([TextColumn("output")] if several else [])]
    columns += [TextColumn("error", True), TextColumn("limit", True), TextColumn("x floor", True, 1)]
    integers = any(map(kernel_steps, rows))
    columns += [TextColumn("SQNR", True, 2), *[TextColumn("LSB", True, 1)] * integers, TextColumn("size", True, 3)]
    cells = []
    for check in rows:
        names = [check.artifact or "-", check.runtime or "-", *([check.output or "-"] if several else [])]
        figures = [
            _distance(check.figure, check),
            _distance(check.limit, check),
            _formatted(check.metrics.get("noise_multiple"), ".1f"),
            _formatted(check.metrics.get("sqnr_db"), ".0f"),
            *[kernel_steps(check) or "-"] * integers,
            size(sizes[check.artifact or ""]) if check.artifact in sizes else "-",
        ]
        cells.append((verdict(check), *names, *figures))
    return table(columns, cells, width)


def _distance(value: float | None, check: Check) -> str:
    """A figure or a limit of parity, with its unit where that is not the one that the legend states."""
    return number(value, check.unit) + " dB" * (check.unit == "dB" and value is not None)


def _legend(rows: list[Check], *, floors: bool) -> str:
    sources = dict.fromkeys(str(c.metrics["limit_source"]) for c in rows if c.metrics.get("limit_source"))
    text = (
        "error and limit: distance from the truth, relative to the output's scale"
        + "; x floor: in noise floors" * floors
    )
    return text + f" ({', '.join(sources)})" * bool(sources)


def _judged_apart(check: Check) -> Iterator[str]:
    """The elements of a parity check that the error in the table says nothing of."""
    if check.kind is not CheckKind.PARITY:
        return
    figures = check.metrics
    if wide := figures.get("ill_conditioned", 0):
        where = f"{wide} of {figures.get('elements')} elements of {check.output}"
        yield f"wider limits for {where}: one ulp of the input moves them by more than half of the limit"
    if apart := figures.get("set_apart", 0):
        where = f"{apart} of {figures.get('elements')} elements of {check.output}"
        samples = f"{figures.get('samples_set_apart')} of {figures.get('samples')} samples"
        yield f"set apart {where}, in {samples}: one ulp changes the value"


def _untested(check: Check) -> str:
    """Why a promise that holds was not put to the test; empty if it was."""
    if not check.passed or not check.metrics.get("untested"):
        return ""
    return f"untested: {short_contract(check.contract or '-', _CONTRACT_WIDTH)}: {check.metrics['untested']}"


def _metric_table(rows: list[Check], width: int) -> TextTable:
    """One row for the truth and for every artifact and runtime: the figure, its interval, how much worse it is."""
    metric = TextColumn(str(rows[0].metrics.get("metric")), True)
    columns = [
        TextColumn("artifact"),
        TextColumn("runtime"),
        metric,
        TextColumn("95 % interval", True, 1),
        TextColumn("change", True),
    ]
    return table(columns, metric_rows(rows), width)


def _budget_table(rows: list[Check], width: int) -> TextTable:
    """One row per budget of an artifact, in a runtime where it depends on that."""
    columns = [VERDICT, TextColumn("artifact"), TextColumn("runtime"), TextColumn("budget")]
    columns += [TextColumn("figure", True), TextColumn("noise", True, 1), TextColumn("limit", True), TextColumn("unit")]
    cells = [(verdict(check), *each) for check, each in zip(rows, budget_rows(rows), strict=True)]
    return table(columns, cells, width)


def _search_table(rows: list[Check], width: int) -> TextTable:
    columns = [VERDICT, TextColumn("search"), TextColumn("runtime"), TextColumn("worst / limit", True)]
    columns += [TextColumn("inputs", True, 1), TextColumn("set apart", True, 2)]
    cells = [
        (
            verdict(check),
            check.artifact or "-",
            check.runtime or "-",
            _formatted(check.figure, ".2g"),
            _formatted(check.metrics.get("evaluations"), ","),
            _formatted(check.metrics.get("set_apart"), ","),
        )
        for check in rows
    ]
    return table(columns, cells, width)


def _search_legend(rows: list[Check]) -> str:
    metrics = rows[0].metrics
    partners = any(check.metrics.get("partners") for check in rows)
    against = "each runtime against the others" if partners else "against the truth"
    return f"search: {against}, {metrics.get('budget', 'no budget')}, seed {metrics.get('seed', 0)}"


def _show_contracts(rows: list[Check], page: _Page, several: bool) -> None:
    """The promises: each in a line of its own, and below it what was measured in every runtime."""
    if not rows:
        return
    files = len({(check.artifact, check.runtime) for check in rows}) > len({check.runtime for check in rows})
    columns = [
        VERDICT,
        *[TextColumn("precision")] * files,
        TextColumn("runtime"),
        TextColumn("figure", True),
        TextColumn("limit", True),
    ]
    for output, contract in dict.fromkeys((check.output, check.contract) for check in rows):
        members = [check for check in rows if (check.output, check.contract) == (output, contract)]
        units = dict.fromkeys(check.unit for check in members if check.figure is not None and check.unit)
        title = short_contract(contract or "-", max(_LEAST_PROMISE, page.width - len("promise: ")))
        title += f" of {output}" * several + "".join(f", {unit}" for unit in units if len(units) == 1)
        page.prose(f"promise: {title}")
        cells = [
            (
                verdict(check),
                *[_precision(check.artifact)] * files,
                check.runtime or "weights",
                *figure_and_limit(check),
                *[check.unit or "-"] * (len(units) > 1),
            )
            for check in members
        ]
        page.table(table([*columns, *[TextColumn("unit")] * (len(units) > 1)], cells, page.width, "  "))
    page.prose("promises: a violation was searched for in every runtime", "dim")
    for remark in dict.fromkeys(filter(None, map(_untested, rows))):
        page.prose(remark, "dim")


def _precision(artifact: str | None) -> str:
    """What the path of an artifact says of its precision: `int8` of `model.int8.tflite`."""
    return ".".join((artifact or "").split(".")[1:-1]) or "-"


def _formatted(value: object, form: str) -> str:
    return format(value, form) if isinstance(value, int | float) else "-"
