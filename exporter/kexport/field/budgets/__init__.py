"""What artifacts in small precisions cost, against float32: metric, size and the time of a call."""

from kexport.field.budgets.checks import budget_checks
from kexport.field.budgets.latency import Latency, measure_latency
from kexport.field.budgets.metric_drop import require_metric
from kexport.field.budgets.recorded import recorded_checks

__all__ = ["Latency", "budget_checks", "measure_latency", "recorded_checks", "require_metric"]
