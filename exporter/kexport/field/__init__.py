"""Using a bundle where it runs: loading it, verifying it, comparing two of them. Needs NumPy and a runtime.

The names below are imported when first used.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kexport.field.comparison.model_comparison import compare
    from kexport.field.loading import load
    from kexport.field.trust import Trust
    from kexport.field.verification.bundle_checks import verify

__all__ = ["Trust", "compare", "load", "verify"]

_HOMES = {"Trust": "trust", "compare": "comparison.model_comparison", "load": "loading", "verify": "verification"}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'kexport.field' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"kexport.field.{_HOMES[name]}"), name)
