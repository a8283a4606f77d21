"""Recording in the manifest which budgets each artifact in a small precision was judged by, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from kexport.bundle import manifest
from kexport.bundle.budget_entry import BudgetEntry
from kexport.bundle.budgets import LATENCY, SQNR, Budgets
from kexport.bundle.report import Check, CheckKind, Report
from kexport.parity.outcome import UNIT_DECIBELS

#: Decimals of decibels: what further ones are depends on the processor.
_DECIMALS = 1


def record_budgets(folder: Path, report: Report, budgets: Budgets) -> None:
    """Record what a build found; nothing where no budget was stated.

    Args:
        folder: the folder of the bundle.
        report: of its checks.
        budgets: those that were stated.
    """
    if not budgets.texts:
        return
    stated = manifest.read(folder)
    artifacts = tuple(
        replace(each, budgets=tuple(_entries(each.path, report.checks, budgets.texts))) if each.limits else each
        for each in stated.artifacts
    )
    manifest.write(folder, replace(stated, artifacts=artifacts))


def _entries(path: str, checks: Sequence[Check], texts: Sequence[str]) -> Iterator[BudgetEntry]:
    """The entries of one artifact, in the order in which the budgets were stated."""
    own = [check for check in checks if check.artifact == path]
    for text in texts:
        kind = _kind(text)
        if kind == SQNR:
            found = [check for check in own if check.kind is CheckKind.PARITY]
        else:
            found = [each for each in own if each.kind is CheckKind.BUDGET and _kind(each.metrics["budget"]) == kind]
        yield BudgetEntry(text, bool(found) and all(check.passed for check in found), *_worst(kind, found))


def _worst(kind: str, checks: Sequence[Check]) -> tuple[float | None, str]:
    """The worst figure of several runtimes and outputs, and its unit; none of times, which no build repeats."""
    if kind == SQNR:
        ratios = [check.figure for check in checks if check.figure is not None and check.unit == UNIT_DECIBELS]
        return (round(min(ratios), _DECIMALS), UNIT_DECIBELS) if ratios else (None, "")
    figures = [(check.figure, check.unit or "") for check in checks if check.figure is not None]
    return max(figures) if figures and kind != LATENCY else (None, "")


def _kind(text: str) -> str:
    return text.partition("=")[0].strip()
