"""Layers that promise something about the relation of output to input, and named models made of them.

Importing the package imports nothing else; a layer's class, and with it Keras, is imported when it is asked for.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kexport_layers.bounded_output import BoundedOutput
    from kexport_layers.conserved_sum import ConservedSum
    from kexport_layers.convex_dense import ConvexDense
    from kexport_layers.high_frequency_energy import HighFrequencyEnergy
    from kexport_layers.linear_constraint import LinearConstraint
    from kexport_layers.lipschitz_dense import LipschitzDense
    from kexport_layers.low_pass_filter import LowPassFilter
    from kexport_layers.monotonic_dense import MonotonicDense
    from kexport_layers.permutation_pooling import PermutationPooling
    from kexport_layers.rate_limiter import RateLimiter
    from kexport_layers.scaled_output import ScaledOutput
    from kexport_layers.simplex_output import SimplexOutput

__all__ = [
    "BoundedOutput",
    "ConservedSum",
    "ConvexDense",
    "HighFrequencyEnergy",
    "LinearConstraint",
    "LipschitzDense",
    "LowPassFilter",
    "MonotonicDense",
    "PermutationPooling",
    "RateLimiter",
    "ScaledOutput",
    "SimplexOutput",
]

_HOMES = {
    "BoundedOutput": "kexport_layers.bounded_output",
    "ConservedSum": "kexport_layers.conserved_sum",
    "ConvexDense": "kexport_layers.convex_dense",
    "HighFrequencyEnergy": "kexport_layers.high_frequency_energy",
    "LinearConstraint": "kexport_layers.linear_constraint",
    "LipschitzDense": "kexport_layers.lipschitz_dense",
    "LowPassFilter": "kexport_layers.low_pass_filter",
    "MonotonicDense": "kexport_layers.monotonic_dense",
    "PermutationPooling": "kexport_layers.permutation_pooling",
    "RateLimiter": "kexport_layers.rate_limiter",
    "ScaledOutput": "kexport_layers.scaled_output",
    "SimplexOutput": "kexport_layers.simplex_output",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'kexport_layers' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)
