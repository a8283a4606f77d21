"""What every rendering calls things: the verdict of a check, its place, its figures, and the report in one line."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from kexport.bundle.report import Check, CheckKind, Report

_LONG_LIST = 24
NOTHING_COMPARED = "no output was compared with the truth: nothing is proved"


def verdict(check: Check) -> str:
    """`pass`, `FAIL`, or `not checked` for a check that could not be made."""
    return "pass" if check.passed else "FAIL" if check.ran else "not checked"


def place(check: Check) -> str:
    """The artifact, runtime and output that a check is about, in words; the bundle when it is none of them."""
    parts = [check.artifact or "", f"on {check.runtime}" if check.runtime else ""]
    words = " ".join(part for part in parts if part)
    if check.output:
        words += f", output {check.output!r}"
    if check.contract:
        words += f"{', ' * bool(words)}{promise(check.contract)}"
    return words or "the bundle"


def counted(text: str) -> str:
    """A contract in full, but that long lists of numbers are counted."""
    return re.sub(r"\[[^\[\]]{24,}\]", lambda found: f"[{found[0].count(',') + 1} numbers]", text)


def promise(text: str, width: int = 60) -> str:
    """A contract in short: as many names of its parameters as there is room for, then as many parameters."""
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
    """A parameter in short: six digits of a number, and how many numbers there are in a long list."""
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
    """Figure and limit in one line, empty when nothing was measured."""
    if check.figure is None:
        return ""
    figure, most = figure_and_limit(check)
    limit = "" if check.limit is None else f", the limit is {most}"
    return f"{figure} {check.unit or ''}".rstrip() + limit


def figure_and_limit(check: Check) -> tuple[str, str]:
    """Both as tables show them; decibels of a promise such that the margin of a filter shows."""
    places = 2 if check.kind is CheckKind.CONTRACT else 1
    return number(check.figure, check.unit, places), number(check.limit, check.unit, places)


def number(value: float | None, unit: str | None = None, places: int = 1) -> str:
    """A figure as tables show it; `places` after the point of decibels."""
    if value is None:
        return "-"
    return f"{value:.{places}f}" if unit == "dB" else "0" if value == 0 else f"{value:.1e}"


def summary(report: Report) -> str:
    """How many checks were made, and what came of them; always says so when nothing was proved."""
    failed = sum(not check.passed and check.ran for check in report.checks)
    unmade = sum(not check.ran for check in report.checks)
    parts = [f"{failed} failed"] * bool(failed) + [f"{unmade} could not be made"] * bool(unmade)
    if parts:
        return f"{report.bundle}: of {len(report.checks)} checks {', '.join(parts)}"
    if not report.passed:
        return f"{report.bundle}: {NOTHING_COMPARED}"
    return f"{report.bundle}: {len(report.checks)} checks passed"


def lines(check: Check) -> Iterator[str]:
    """What a check found, one fact a line; a fact of several lines has as many."""
    for fact in check.facts:
        yield from (line.strip() for line in str(fact).splitlines() if line.strip())
