"""The report as a table for people, and the failures in words below it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from kexport.bundle.folder import Bundle
from kexport.bundle.report import Check, CheckKind, Report
from kexport.parity.outcome import UNIT
from kexport.reports._wording import figure_and_limit, lines, promise

_PROMISE_WIDTH = 44
_PLAIN_WIDTH = 120  # where the output is no terminal there is no width to ask for


def show(report: Report, bundle: Bundle, stream: TextIO) -> None:
    """Print the table: artifact, runtime, size, error against the truth, limit, verdict."""
    console = Console(file=stream, width=None if stream.isatty() else _PLAIN_WIDTH, highlight=False)
    sizes = {artifact.path: artifact.bytes for artifact in bundle.manifest.artifacts}
    several = len(bundle.signature.outputs) > 1
    rows = [check for check in report.checks if check.kind in (CheckKind.PARITY, CheckKind.RUNTIME, CheckKind.EXPORT)]
    if rows:
        console.print(_table(rows, sizes, several))
    if any(check.unit == UNIT for check in rows):
        console.print(Text(_legend(rows), style="dim"))
    for remark in dict.fromkeys(filter(None, map(_set_apart, report.checks))):
        console.print(Text(remark, style="dim"))
    searched = [check for check in report.checks if check.kind is CheckKind.SEARCH]
    if searched:
        console.print(_search_table(searched))
        console.print(Text(_search_legend(searched), style="dim"))
    promised = [check for check in report.checks if check.kind is CheckKind.CONTRACT]
    if promised:
        console.print(_promise_table(promised, several))
        console.print(
            Text("promise: figure and limit in the unit beside them, hunted for in every runtime", style="dim")
        )
    for check in report.checks:
        if not check.passed:
            console.print(_failure(check))
    for note in report.notes:
        console.print(Text(f"note: {note}", style="dim"))


def _table(rows: list[Check], sizes: Mapping[str, int], several: bool) -> Table:
    names = ["artifact", "runtime", *(["output"] if several else [])]
    table = _empty(names, ["size", "error", "x floor", "SQNR", "limit"])
    for check in rows:
        table.add_row(
            check.artifact or "-",
            check.runtime or "-",
            *([check.output or "-"] if several else []),
            size_text(sizes[check.artifact or ""]) if check.artifact in sizes else "-",
            number_text(check.figure),
            _short(check.metrics.get("noise_multiple"), ".1f"),
            _short(check.metrics.get("sqnr_db"), ".0f"),
            number_text(check.limit),
            _verdict(check),
        )
    return table


def _empty(names: Sequence[str], figures: Sequence[str], words: Sequence[str] = ()) -> Table:
    """A table without rows: columns of words, of numbers, of words again, and the verdict."""
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


def _set_apart(check: Check) -> str:
    """What is known of the samples that are neither right nor wrong, empty when there are none."""
    metrics = check.metrics
    if check.kind is not CheckKind.PARITY or not metrics.get("set_apart"):
        return ""
    return (
        f"set apart in {check.output}: {metrics['set_apart']} of {metrics['elements']} elements, in "
        f"{metrics['samples_set_apart']} of {metrics['samples']} samples, where one ulp makes another number"
    )


def _search_table(rows: list[Check]) -> Table:
    table = _empty(["search", "runtime"], ["inputs", "set apart", "worst / limit"])
    for check in rows:
        table.add_row(
            check.artifact or "-",
            check.runtime or "-",
            _short(check.metrics.get("evaluations"), ","),
            _short(check.metrics.get("set_apart"), ","),
            _short(check.figure, ".2g"),
            _verdict(check),
        )
    return table


def _search_legend(rows: list[Check]) -> str:
    metrics = rows[0].metrics
    partners = any(check.metrics.get("partners") for check in rows)
    against = "each runtime against the others" if partners else "against the truth"
    return f"search: {against}, {metrics.get('budget', 'no budget')}, seed {metrics.get('seed', 0)}"


def _promise_table(rows: list[Check], several: bool) -> Table:
    """One row a promise and runtime; those of one promise stand together."""
    table = _empty(["promise", *(["output"] if several else []), "runtime"], ["figure", "limit"], ["unit"])
    last = ""
    order = list(dict.fromkeys((check.output, check.contract) for check in rows))
    for check in sorted(rows, key=lambda check: order.index((check.output, check.contract))):
        about = promise(check.contract or "-", _PROMISE_WIDTH)
        key = f"{check.output} {check.contract}"
        table.add_row(
            about if key != last else "",
            *([check.output or "-"] if several else []),
            check.runtime or "weights",
            *figure_and_limit(check),
            check.unit or "-",
            _verdict(check),
        )
        last = key
    return table


def _short(value: object, form: str) -> str:
    return format(value, form) if isinstance(value, int | float) else "-"


def number_text(value: float | None) -> str:
    """A figure as the table shows it."""
    if value is None:
        return "-"
    return "0" if value == 0 else f"{value:.1e}"


def size_text(count: int) -> str:
    """A number of bytes as people read it."""
    size, unit = float(count), "B"
    for larger in ("kB", "MB", "GB"):
        if size < 1000:
            break
        size, unit = size / 1000, larger
    return f"{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{size:.1f} {unit}"


def _verdict(check: Check) -> Text:
    if check.passed:
        return Text("pass", style="green")
    return Text("FAIL", style="bold red") if check.ran else Text("not checked", style="bold yellow")


def _failure(check: Check) -> Text:
    about = promise(check.contract) if check.contract else None
    where = " ".join(part for part in (check.kind, about, check.artifact, check.runtime, check.output) if part)
    text = _verdict(check)
    text.append(f" {where}\n", style="not bold default")
    return text.append("\n".join(f"  {line}" for line in lines(check)), style="not bold default")
