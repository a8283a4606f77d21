"""What artifacts in small precisions cost, against float32: metric, size and the time of a call."""

from kexport.field.budgets.checks import budget_checks
from kexport.field.budgets.latency import Latency, measure_latency
from kexport.field.budgets.metric_drop import require_metric

__all__ = ["Latency", "budget_checks", "measure_latency", "require_metric"]
