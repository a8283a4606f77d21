"""Layers that promise something about the relation of output to input, and named models made of them.

Importing the package imports nothing else; a layer's class, and with it Keras, is imported when it is asked for.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kexport_layers.low_pass_filter import LowPassFilter
    from kexport_layers.scaled_output import ScaledOutput

__all__ = ["LowPassFilter", "ScaledOutput"]

_HOMES = {
    "LowPassFilter": "kexport_layers.low_pass_filter",
    "ScaledOutput": "kexport_layers.scaled_output",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'kexport_layers' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)
