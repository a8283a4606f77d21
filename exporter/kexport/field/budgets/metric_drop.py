"""The budget of a metric: which one it is about, and how much worse an artifact is than that in float32."""

from __future__ import annotations

from typing import Any

from kexport.bundle.budgets import Budgets, Drop
from kexport.bundle.report import Check, CheckKind, Measurement, Subject
from kexport.errors import UsageError
from kexport.field.budgets.not_judged import not_judged
from kexport.metrics import PERCENT, Metric, figure_words


def require_metric(budgets: Budgets, metric: Metric[Any] | None) -> None:
    """Refuse a budget that the metric of the request says nothing about.

    Args:
        budgets: what small precisions must keep.
        metric: the metric that is computed; None if there is none.

    Raises:
        UsageError: the budget is of another metric or unit, or it asks for a better figure than float32's.
    """
    drop = budgets.drop
    if drop is None:
        return
    if metric is None:
        raise UsageError(
            f"the budget {drop.text!r} needs a metric",
            got="neither --metric nor --labels",
            expected=f"--metric {drop.metric} --labels FILE",
            hint="the other budgets are sqnr, size and latency",
        )
    example = f"{metric.name}={'-' if metric.higher_is_better else '+'}"
    example += "0.5%" if metric.unit == PERCENT else "0.02"
    if drop.metric != metric.name:
        raise UsageError(
            f"the budget {drop.text!r} is of another metric", got=f"--metric {metric.name}", expected=example
        )
    if drop.points != (metric.unit == PERCENT):
        unit = "per cent, counted in points" if metric.unit == PERCENT else "a number in its own unit"
        raise UsageError(f"the budget {drop.text!r} has the wrong unit", expected=f"{unit}: {example}")
    if drop.value and drop.falls != metric.higher_is_better:
        better = "larger" if metric.higher_is_better else "smaller"
        raise UsageError(
            f"the budget {drop.text!r} asks for more than float32 gives",
            got=f"a change for the better: a {better} {metric.name} is better",
            expected=f"how much worse it may be: {example}",
        )


def drop_check(drop: Drop, subject: Subject, wide: Check | None, small: Check | None) -> Check:
    """The check of one artifact in one runtime.

    Args:
        drop: the budget.
        subject: the artifact and its runtime.
        wide: the metric of the artifact in float32, in this runtime; None where it has none.
        small: that of the artifact.
    """
    if wide is None or small is None or wide.figure is None or small.figure is None:
        which = "float32" if wide is None or wide.figure is None else "it"
        return not_judged(subject, drop.text, f"the metric of {which} could not be computed")
    higher = bool(small.metrics.get("higher_is_better", True))
    fall = wide.figure - small.figure if higher else small.figure - wide.figure
    limit, unit = drop.value, small.unit or ""
    rounding = 1e-6 * max(abs(wide.figure), abs(small.figure))
    passed = fall <= limit + rounding
    points = "points" if unit == PERCENT else unit
    got = f"{figure_words(small.figure, unit)}, {figure_words(abs(fall), points)} {'worse' if fall > 0 else 'better'}"
    got += f" than float32 ({figure_words(wide.figure, unit)}) over {small.metrics.get('samples')} samples"
    facts = [f"got: {got}", f"expected: at most {figure_words(limit, points)} worse ({drop.text})"]
    if not passed:
        facts.append("hint: calibrate on more samples, or choose a wider precision: --precision auto looks for one")
    metrics = {"budget": drop.text, "value": small.figure, "float32": wide.figure, "samples": small.metrics["samples"]}
    return Check(CheckKind.BUDGET, passed, subject, Measurement(fall, limit, points), tuple(facts), metrics=metrics)
