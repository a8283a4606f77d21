"""Metrics of labelled samples as reports show them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kexport.bundle.report import Check
from kexport.metrics import figure_text, figure_words, interval_words
from kexport.reports._phrases import fact_lines, verdict


def metric_rows(checks: Sequence[Check]) -> Iterator[tuple[str, ...]]:
    """Artifact, runtime, figure, interval, and the change from the truth."""
    for check in checks:
        change = "-" if check.metrics.get("drop") is None else _change_of(check)
        figure = "-" if check.figure is None else figure_words(check.figure, check.unit)
        interval = interval_words(check.metrics.get("interval"), check.unit)
        yield check.artifact or "-", check.runtime or "-", figure, interval, change


def metric_legend(checks: Sequence[Check]) -> Iterator[str]:
    """What the figures are of, and how the intervals were computed."""
    metrics = checks[0].metrics
    methods = dict.fromkeys(str(each) for check in checks if (each := check.metrics.get("interval_method")))
    told = f"; intervals: {', '.join(methods)}" if methods else ""
    compared = any("drop" in check.metrics for check in checks)
    unit = " in points" if checks[0].unit == "%" else ""
    yield (
        f"{metrics.get('metric')} of {checks[0].output} over {metrics.get('samples')} samples"
        + f"; change: against the truth{unit}" * compared
        + told
    )
    worse = max((int(check.metrics.get("worse_rows", 0)) for check in checks), default=0)
    if worse:
        yield f"up to {worse} samples are worse than in the truth: report.json and --json list them by row"


def metric_pair(check: Check) -> Iterator[str]:
    """A metric of two models, one below the other, then how much worse the second one is, on which rows."""
    if check.figure is None:
        return
    unit = str(check.metrics.get("unit", ""))
    sides = [check.metrics.get(side, {}) for side in "ab"]
    rows = [("", str(check.metrics.get("metric")), "95 % interval", "model")]
    for name, side in zip("AB", sides, strict=True):
        model = f"{side.get('artifact', '-')} {side.get('runtime', '')}".strip()
        rows.append((name, figure_words(side["figure"], unit), interval_words(side.get("interval"), unit), model))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for name, figure, interval, model in rows:
        yield f"{name:<{widths[0]}}  {figure:>{widths[1]}}  {interval:>{widths[2]}}  {model}"
    yield from (f"{verdict(check) + ' ' if not index else '  '}{line}" for index, line in enumerate(fact_lines(check)))


def _change_of(check: Check) -> str:
    """How much larger a figure is than that of the truth, with its sign; 0 within rounding."""
    drop = check.metrics["drop"]
    change = -drop if check.metrics.get("higher_is_better", True) else drop
    text = figure_text(abs(change), check.unit)
    if abs(change) <= check.metrics.get("rounding", 0.0) or not float(text):
        return "0"
    return f"{'+' if change > 0 else '-'}{text}"
