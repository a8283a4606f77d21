"""From a Keras model to a bundle. Everything here may import TensorFlow; nothing outside of it depends on it.

A `BuildRequest` says what is to be built, and `build_bundle` builds it; `kexport.build` is both in one call.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kexport.factory.fingerprint import unchanged
    from kexport.factory.pipeline import build, build_bundle
    from kexport.factory.repetition import check_rebuild
    from kexport.factory.request import BuildRequest, Conversion, Declarations
    from kexport.factory.signatures import each_signature

__all__ = [
    "BuildRequest",
    "Conversion",
    "Declarations",
    "build",
    "build_bundle",
    "check_rebuild",
    "each_signature",
    "unchanged",
]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'kexport.factory' has no attribute {name!r}")
    import importlib

    homes = {
        "build": "pipeline",
        "build_bundle": "pipeline",
        "check_rebuild": "repetition",
        "each_signature": "signatures",
        "unchanged": "fingerprint",
    }
    return getattr(importlib.import_module(f"kexport.factory.{homes.get(name, 'request')}"), name)
