"""Figures of a metric in reports, and the rows on which models part in words."""

from __future__ import annotations

from typing import Any

from kexport.bundle.json_text import JsonObject
from kexport.field.evaluation.evaluation import Score
from kexport.metrics import PERCENT, Change, Metric

_LISTED, _TOLD = 100, 5  # rows, counted from 0


def entry_of(score: Score) -> JsonObject:
    """A score among the metrics of a report."""
    found = score.interval
    return {
        "figure": score.value,
        "interval": None if found is None else list(found.ends),
        "interval_method": None if found is None else found.method,
    }


def change_entry(found: Change) -> JsonObject:
    """A change among the metrics of a report; rows are counted from 0, and the first few listed."""
    interval = found.interval
    return {
        "drop": found.drop,
        "rounding": found.rounding,
        "drop_interval": None if interval is None else list(interval.ends),
        "worse_rows": len(found.worse),
        "better_rows": len(found.better),
        "first_worse_rows": found.worse[:_LISTED].tolist(),
        "first_better_rows": found.better[:_LISTED].tolist(),
    }


def rows_words(found: Change, samples: int, metric: Metric[Any]) -> list[str]:
    """On which rows another model is worse, and on which better; nothing where no row is."""
    verbs = ("with a larger error", "with a smaller error")
    if metric.unit == PERCENT:
        verbs = ("with fewer right positions", "with more right positions")
    if found.flips:
        verbs = ("from right to wrong", "from wrong to right")
    return [
        f"{len(rows)} of {samples} rows {verb}: {', '.join(map(str, rows[:_TOLD]))}" + ", ..." * (len(rows) > _TOLD)
        for rows, verb in zip((found.worse, found.better), verbs, strict=True)
        if len(rows)
    ]
