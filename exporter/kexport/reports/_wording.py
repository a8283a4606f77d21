"""What every rendering calls things: the verdict of a check, its place, its figures, and the report in one line."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kexport.bundle.report import Check, Report

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


def promise(text: str, width: int = 60) -> str:
    """A contract in short: long lists of numbers are counted, and what is still too long is cut."""
    short = re.sub(r"\[[^\[\]]{24,}\]", lambda found: f"[{found[0].count(',') + 1} numbers]", text)
    return short if len(short) <= width else short[: width - 4].rstrip(" ,") + " ..."


def figures(check: Check) -> str:
    """Figure and limit in one line, empty when nothing was measured."""
    if check.figure is None:
        return ""
    limit = "" if check.limit is None else f", the limit is {number(check.limit, check.unit)}"
    return f"{number(check.figure, check.unit)} {check.unit or ''}".rstrip() + limit


def number(value: float | None, unit: str | None = None) -> str:
    """A figure as tables show it."""
    if value is None:
        return "-"
    return f"{value:.1f}" if unit == "dB" else "0" if value == 0 else f"{value:.1e}"


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
    """What a check found, one fact a line."""
    for part in check.detail.replace("; ", "\n").splitlines():
        if part.strip():
            yield part.strip()
