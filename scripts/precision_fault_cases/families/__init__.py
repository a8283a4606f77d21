"""One file a family: a model, and the faults of its artifacts in small precisions."""
