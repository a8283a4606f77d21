"""Figures of metrics in words."""

from __future__ import annotations

_PROPORTIONS = ("%", "points")


def figure_text(value: float, unit: str | None) -> str:
    """A figure of a metric without its unit: two decimals for per cent and points, else four digits."""
    text = f"{value:.2f}" if unit in _PROPORTIONS else f"{value:.4g}"
    return text if float(text) else text.removeprefix("-")


def figure_words(value: float, unit: str | None) -> str:
    """A figure of a metric, with per cent or points behind it."""
    return figure_text(value, unit) + (f" {unit}" if unit in _PROPORTIONS else "")


def interval_words(interval: tuple[float, float] | list[float] | None, unit: str | None) -> str:
    """The two ends of an interval; `-` where there is none."""
    return "-" if interval is None else " to ".join(figure_text(end, unit) for end in interval)
