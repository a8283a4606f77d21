"""Evaluating a metric: labelled samples, what a model computes for all of them, and the figure of each artifact."""

from kexport.field.evaluation.evaluation import Evaluation, Run, Score
from kexport.field.evaluation.in_runtimes import TRUTH, metric_checks, run_of, score_artifact
from kexport.field.evaluation.labelled_samples import LabelledSamples
from kexport.field.evaluation.metric_request import MetricRequest
from kexport.field.evaluation.phrases import change_entry, entry_of, rows_words

__all__ = [
    "TRUTH",
    "Evaluation",
    "LabelledSamples",
    "MetricRequest",
    "Run",
    "Score",
    "change_entry",
    "entry_of",
    "metric_checks",
    "rows_words",
    "run_of",
    "score_artifact",
]
