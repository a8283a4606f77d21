"""Budgets of small precisions as reports show them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kexport.bundle.report import Check
from kexport.reports._phrases import figure_and_limit

LEGEND = "budget: what a small precision may cost; change of a metric, size and time of a call are against float32"


def budget_rows(checks: Sequence[Check]) -> Iterator[tuple[str, ...]]:
    """Artifact, runtime, budget, figure, the interval of a measured time, limit and unit."""
    for check in checks:
        ends = check.metrics.get("interval")
        noise = f"{ends[0]:.3g} to {ends[1]:.3g}" if isinstance(ends, list) and len(ends) == 2 else "-"
        budget = str(check.metrics.get("budget", "-"))
        figure, limit = figure_and_limit(check)
        yield check.artifact or "-", check.runtime or "-", budget, figure, noise, limit, check.unit or "-"
