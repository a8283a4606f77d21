"""kexport: build a Keras 3 model into SavedModel, .keras, ONNX and TFLite, and prove each artifact right.

The public functions are `build`, `compare`, `load` and `verify`. Nothing heavy is imported before one of them is used.
"""

from typing import TYPE_CHECKING

from kexport.errors import KexportError

if TYPE_CHECKING:
    from kexport.bundle import Bundle
    from kexport.factory import BuildRequest, build
    from kexport.field import compare, load, verify
    from kexport.runtimes import Session

__version__ = "0.1.0"
__all__ = ["BuildRequest", "Bundle", "KexportError", "Session", "build", "compare", "load", "verify"]

_HOMES = {
    "BuildRequest": "kexport.factory",
    "Bundle": "kexport.bundle",
    "Session": "kexport.runtimes",
    "build": "kexport.factory",
    "compare": "kexport.field",
    "load": "kexport.field",
    "verify": "kexport.field",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'kexport' has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
