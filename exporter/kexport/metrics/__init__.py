"""Metrics of a model on labelled samples: one file per metric, named as users type it; NumPy only."""

from kexport.metrics._change import Change, change
from kexport.metrics._choice import choose, get, names
from kexport.metrics._intervals import CONFIDENCE, Interval
from kexport.metrics._metric import PERCENT, FittedLabels, Metric, MetricError, Scores
from kexport.metrics._words import figure_text, figure_words, interval_words

__all__ = [
    "CONFIDENCE",
    "PERCENT",
    "Change",
    "FittedLabels",
    "Interval",
    "Metric",
    "MetricError",
    "Scores",
    "change",
    "choose",
    "figure_text",
    "figure_words",
    "get",
    "interval_words",
    "names",
]
