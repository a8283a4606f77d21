"""Layers of tensorflow-model-optimization around those of a model in training, and what takes them off."""

from __future__ import annotations

import re

#: What takes off the layers of a class.
STRIPS = {
    "ClusterWeights": "tensorflow_model_optimization.clustering.keras.strip_clustering",
    "PruneLowMagnitude": "tensorflow_model_optimization.sparsity.keras.strip_pruning",
}
#: How the name of a layer of a class begins; it is all that a SavedModel tells of it.
_PREFIXES = {"ClusterWeights": "cluster_", "PruneLowMagnitude": "prune_low_magnitude_"}


def strip_by_operation(name: str) -> str | None:
    """What takes off the wrapper that an operation belongs to, by the name of the operation; None for any other."""
    for kind, prefix in _PREFIXES.items():
        if re.search(rf"(^|/){prefix}[^/]+/", name):
            return STRIPS[kind]
    return None
