"""Renders the report as tables for people, followed by the failures in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TextIO

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from kexport.bundle.folder import Bundle
from kexport.bundle.report import Check, CheckKind, Report
from kexport.parity.outcome import UNIT
from kexport.reports._adequacy import adequacy_summary
from kexport.reports._budgets import LEGEND, budget_rows
from kexport.reports._metrics import metric_legend, metric_rows
from kexport.reports._phrases import fact_lines, figure_and_limit, number, short_contract, size, verdict
from kexport.visible import visible

_CONTRACT_WIDTH = 44
_PLAIN_WIDTH = 120  # columns, where the output is not a terminal
_TABLE_KINDS = (CheckKind.PARITY, CheckKind.RUNTIME, CheckKind.EXPORT)
_STYLES = {"pass": "green", "FAIL": "bold red", "not checked": "bold yellow"}


@dataclass(frozen=True)
class _Visible:
    """Something to print, in which names that a file brought cannot move the cursor or change colours."""

    content: RenderableType

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        for segment in console.render(self.content, options):
            yield segment if segment.control else segment._replace(text=visible(segment.text))


def show(report: Report, bundle: Bundle, stream: TextIO) -> None:
    """Print the tables of parity, search and promises, then the checks that did not pass, then the notes.

    Args:
        report: the report of the bundle.
        bundle: for the sizes of its artifacts.
        stream: to print to.
    """
    console = Console(
        file=stream, width=None if stream.isatty() else _PLAIN_WIDTH, highlight=False, markup=False, emoji=False
    )

    def out(renderable: RenderableType) -> None:
        console.print(_Visible(renderable))

    sizes = {artifact.path: artifact.bytes for artifact in bundle.manifest.artifacts}
    several = len(bundle.signature.outputs) > 1
    rows = [check for check in report.checks if check.kind in _TABLE_KINDS]
    if rows:
        out(_parity_table(rows, sizes, several))
    if any(check.unit == UNIT for check in rows):
        out(Text(_legend(rows), style="dim"))
    for remark in dict.fromkeys(remark for check in report.checks for remark in _judged_apart(check)):
        out(Text(remark, style="dim"))
    if figures := [check for check in report.checks if check.kind is CheckKind.METRIC and check.figure is not None]:
        out(_metric_table(figures))
        for line in metric_legend(figures):
            out(Text(line, style="dim"))
    if budgets := [check for check in report.checks if check.kind is CheckKind.BUDGET]:
        out(_budget_table(budgets))
        out(Text(LEGEND, style="dim"))
    searches = [check for check in report.checks if check.kind is CheckKind.SEARCH]
    if searches:
        out(_search_table(searches))
        out(Text(_search_legend(searches), style="dim"))
    contracts = [check for check in report.checks if check.kind is CheckKind.CONTRACT]
    if contracts:
        out(_contract_table(contracts, several))
        legend = "promise: figure and limit in the unit beside them; a violation was searched for in every runtime"
        out(Text(legend, style="dim"))
    for remark in dict.fromkeys(filter(None, map(_untested, contracts))):
        out(Text(remark, style="dim"))
    for check in report.checks:
        if check.kind is CheckKind.MODEL and check.passed:
            out(Text(f"the model itself: {check.detail}", style="dim"))
    for check in report.checks:
        if check.kind is CheckKind.ADEQUACY and check.passed and (words := adequacy_summary(check)):
            out(Text(words, style="dim"))
    changed = [check for check in report.checks if check.kind is CheckKind.REBUILD and not check.passed]
    if changed:
        out(_rebuild_table(changed))
    for check in report.checks:
        if not check.passed and check.kind is not CheckKind.REBUILD:
            out(_failure(check))
    for note in report.notes:
        out(Text(f"note: {note}", style="dim"))


def _parity_table(rows: list[Check], sizes: Mapping[str, int], several: bool) -> Table:
    """One row per artifact, runtime and output: size, error, noise floors, signal-to-error ratio, limit, verdict."""
    names = ["artifact", "runtime", *(["output"] if several else [])]
    table = _empty(names, ["size", "error", "x floor", "SQNR", "limit"])
    for check in rows:
        names_of_check = [check.artifact or "-", check.runtime or "-", *([check.output or "-"] if several else [])]
        figures = [
            size(sizes[check.artifact or ""]) if check.artifact in sizes else "-",
            _distance(check.figure, check),
            _formatted(check.metrics.get("noise_multiple"), ".1f"),
            _formatted(check.metrics.get("sqnr_db"), ".0f"),
            _distance(check.limit, check),
        ]
        table.add_row(*names_of_check, *figures, _verdict(check))
    return table


def _distance(value: float | None, check: Check) -> str:
    """A figure or a limit of parity, with its unit where that is not the one that the legend states."""
    return number(value, check.unit) + " dB" * (check.unit == "dB" and value is not None)


def _empty(names: Sequence[str], figures: Sequence[str], words: Sequence[str] = ()) -> Table:
    """A table without rows: columns of names, of right-aligned figures, of words, and the verdict."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for title in names:
        table.add_column(title, no_wrap=True)
    for title in figures:
        table.add_column(title, justify="right", no_wrap=True)
    for title in (*words, "verdict"):
        table.add_column(title, no_wrap=True)
    return table


def _legend(rows: list[Check]) -> str:
    sources = dict.fromkeys(str(c.metrics["limit_source"]) for c in rows if c.metrics.get("limit_source"))
    text = "error and limit: distance from the truth, relative to the output's scale; x floor: in noise floors"
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


def _metric_table(rows: list[Check]) -> Table:
    """One row for the truth and for every artifact and runtime: the figure, its interval, how much worse it is."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for title in ("artifact", "runtime"):
        table.add_column(title, no_wrap=True)
    for title in (str(rows[0].metrics.get("metric")), "95 % interval", "change"):
        table.add_column(title, justify="right", no_wrap=True)
    for cells in metric_rows(rows):
        table.add_row(*cells)
    return table


def _budget_table(rows: list[Check]) -> Table:
    """One row per budget of an artifact, in a runtime where it depends on that."""
    table = _empty(["artifact", "runtime", "budget"], ["figure", "noise", "limit"], ["unit"])
    for check, cells in zip(rows, budget_rows(rows), strict=True):
        table.add_row(*cells, _verdict(check))
    return table


def _rebuild_table(rows: list[Check]) -> Table:
    """One row per file that another build writes differently, with the first difference."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("file", no_wrap=True)
    table.add_column("first difference", overflow="fold")
    for check in rows:
        table.add_row(check.artifact or "-", check.detail)
    return table


def _search_table(rows: list[Check]) -> Table:
    table = _empty(["search", "runtime"], ["inputs", "set apart", "worst / limit"])
    for check in rows:
        table.add_row(
            check.artifact or "-",
            check.runtime or "-",
            _formatted(check.metrics.get("evaluations"), ","),
            _formatted(check.metrics.get("set_apart"), ","),
            _formatted(check.figure, ".2g"),
            _verdict(check),
        )
    return table


def _search_legend(rows: list[Check]) -> str:
    metrics = rows[0].metrics
    partners = any(check.metrics.get("partners") for check in rows)
    against = "each runtime against the others" if partners else "against the truth"
    return f"search: {against}, {metrics.get('budget', 'no budget')}, seed {metrics.get('seed', 0)}"


def _contract_table(rows: list[Check], several: bool) -> Table:
    """One row per contract and runtime; the rows of one contract are adjacent."""
    files = len({(check.artifact, check.runtime) for check in rows}) > len({check.runtime for check in rows})
    names = ["promise", *["output"] * several, *["precision"] * files, "runtime"]
    table = _empty(names, ["figure", "limit"], ["unit"])
    last = None
    order = list(dict.fromkeys((check.output, check.contract) for check in rows))
    for check in sorted(rows, key=lambda check: order.index((check.output, check.contract))):
        key = check.output, check.contract
        table.add_row(
            short_contract(check.contract or "-", _CONTRACT_WIDTH) if key != last else "",
            *[check.output or "-"] * several,
            *[_precision(check.artifact)] * files,
            check.runtime or "weights",
            *figure_and_limit(check),
            check.unit or "-",
            _verdict(check),
        )
        last = key
    return table


def _precision(artifact: str | None) -> str:
    """What the path of an artifact says of its precision: `int8` of `model.int8.tflite`."""
    return ".".join((artifact or "").split(".")[1:-1]) or "-"


def _formatted(value: object, form: str) -> str:
    return format(value, form) if isinstance(value, int | float) else "-"


def _verdict(check: Check) -> Text:
    text = verdict(check)
    return Text(text, style=_STYLES[text])


def _failure(check: Check) -> Text:
    contract = short_contract(check.contract) if check.contract else None
    where = " ".join(part for part in (check.kind, contract, check.artifact, check.runtime, check.output) if part)
    text = _verdict(check)
    text.append(f" {where}\n", style="not bold default")
    return text.append("\n".join(f"  {line}" for line in fact_lines(check)), style="not bold default")
