"""The phrases that renderings share: the verdict, place and figures of a check, and the report in one line."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from kexport.bundle.report import Check, CheckKind, Report
from kexport.metrics import figure_text

_LONG_LIST = 24  # characters; a longer list of numbers is abbreviated to its length
NOTHING_COMPARED = "no output was compared with the truth: nothing is proved"


def verdict(check: Check) -> str:
    """`pass`, `FAIL`, or `not checked` for a check that could not be run."""
    return "pass" if check.passed else "FAIL" if check.ran else "not checked"


def place(check: Check) -> str:
    """The artifact, runtime, output and promise that a check is about, in words; `the bundle` if there is none."""
    parts = [check.artifact or "", f"on {check.runtime}" if check.runtime else ""]
    words = " ".join(part for part in parts if part)
    if check.output:
        words += f", output {check.output!r}"
    if check.contract:
        words += f"{', ' * bool(words)}{short_contract(check.contract)}"
    return words or "the bundle"


def counted(text: str) -> str:
    """The text of a contract with long lists of numbers replaced by their length."""
    return re.sub(r"\[[^\[\]]{24,}\]", lambda found: f"[{found[0].count(',') + 1} numbers]", text)


def short_contract(text: str, width: int = 60) -> str:
    """The text of a contract in at most `width` characters.

    Names of parameters are dropped first, from the left, then parameters from the right; no number is cut in two.
    """
    try:
        call = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError):
        call = None
    if not isinstance(call, ast.Call):
        return text if len(text) <= width else text[: max(0, width - 4)].rstrip(" ,") + " ..."
    kind = ast.unparse(call.func)
    pairs = [("", _short(each)) for each in call.args]
    pairs += [(f"{each.arg}=" if each.arg else "**", _short(each.value)) for each in call.keywords]
    for bare in range(len(pairs) + 1):
        parts = [value if index < bare else name + value for index, (name, value) in enumerate(pairs)]
        if len(written := f"{kind}({', '.join(parts)})") <= width:
            return written
    values = [value for _, value in pairs]
    while values and len(f"{kind}({', '.join((*values, '...'))})") > width:
        values.pop()
    return f"{kind}({', '.join((*values, '...'))})"


def _short(node: ast.expr) -> str:
    """A parameter in short: a number with six digits, a long list as its length."""
    text = ast.unparse(node)
    try:
        value = ast.literal_eval(node)
    except ValueError:
        return text
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple) and len(text) > _LONG_LIST:
        return f"[{text.count(',') + 1} numbers]"
    return text


def figures(check: Check) -> str:
    """Figure and limit in one sentence, empty if nothing was measured."""
    if check.figure is None:
        return ""
    figure, most = figure_and_limit(check)
    limit = "" if check.limit is None else f", the limit is {most}"
    return f"{figure} {check.unit or ''}".rstrip() + limit


def figure_and_limit(check: Check) -> tuple[str, str]:
    """Figure and limit as tables show them; decibels of a contract have two decimals, to show a filter's margin."""
    if check.kind is CheckKind.METRIC:
        texts = ["-" if each is None else figure_text(each, check.unit) for each in (check.figure, check.limit)]
        return texts[0], texts[1]
    if check.kind is CheckKind.BUDGET:
        texts = ["-" if each is None else _plain(each, check.unit) for each in (check.figure, check.limit)]
        return texts[0], texts[1]
    decimals = 2 if check.kind is CheckKind.CONTRACT else 1
    return number(check.figure, check.unit, decimals), number(check.limit, check.unit, decimals)


def _plain(value: float, unit: str | None) -> str:
    """The figure of a budget: whole bytes, two decimals of points, else three digits."""
    if unit == "points":
        return figure_text(value, unit)
    return f"{value:,.0f}" if unit == "bytes" else f"{value:.3g}"


def number(value: float | None, unit: str | None = None, decimals: int = 1) -> str:
    """A figure as tables show it: `-` if there is none, fixed-point for decibels, else scientific.

    Args:
        value: the figure.
        unit: its unit.
        decimals: how many a figure in decibels gets.
    """
    if value is None:
        return "-"
    return f"{value:.{decimals}f}" if unit == "dB" else "0" if value == 0 else f"{value:.1e}"


def size(count: int) -> str:
    """A number of bytes as people read it."""
    amount, unit = float(count), "B"
    for larger in ("kB", "MB", "GB"):
        if amount < 1000:
            break
        amount, unit = amount / 1000, larger
    return f"{amount:.0f} {unit}" if unit == "B" or amount >= 100 else f"{amount:.1f} {unit}"


def summary(report: Report) -> str:
    """The number of checks and their outcome in one line; it always shows when nothing was proved."""
    failed = sum(not check.passed and check.ran for check in report.checks)
    not_run = sum(not check.ran for check in report.checks)
    parts = [f"{failed} failed"] * bool(failed) + [f"{not_run} could not be run"] * bool(not_run)
    if parts:
        return f"{report.bundle}: {len(report.checks)} checks, {', '.join(parts)}"
    if not report.passed:
        return f"{report.bundle}: {NOTHING_COMPARED}"
    return f"{report.bundle}: {len(report.checks)} checks passed"


def fact_lines(check: Check) -> Iterator[str]:
    """The facts of a check, one per line; a fact of several lines keeps them."""
    for fact in check.facts:
        yield from (line.strip() for line in str(fact).splitlines() if line.strip())
