"""What a SavedModel would run, read before it runs."""

from kexport.runtimes.saved_model_graph.check import require_allowed

__all__ = ["require_allowed"]
