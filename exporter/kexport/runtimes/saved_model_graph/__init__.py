"""What a SavedModel would run, read before it runs; and loading it."""

from kexport.runtimes.saved_model_graph.check import require_allowed
from kexport.runtimes.saved_model_graph.loading import load_folder

__all__ = ["load_folder", "require_allowed"]
