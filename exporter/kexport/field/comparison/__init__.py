"""Comparing two models, each a bundle or a bare artifact, of which the first is the reference."""

from kexport.field.comparison.metric_gate import MetricGate
from kexport.field.comparison.model_comparison import ComparisonRequest, compare, compare_models
from kexport.field.comparison.shared_interface import InterfaceOptions

__all__ = ["ComparisonRequest", "InterfaceOptions", "MetricGate", "compare", "compare_models"]
