"""What a bundle was built with: versions alone, nothing of time, user, host or place."""

from __future__ import annotations

import platform
from importlib import metadata
from typing import Any

import kexport

_PACKAGES = ("tensorflow", "tensorflow-cpu", "keras", "tf2onnx", "onnx", "numpy")


def provenance() -> dict[str, Any]:
    """Versions of kexport, Python and the packages that wrote the artifacts."""
    versions: dict[str, Any] = {"kexport": kexport.__version__, "python": platform.python_version()}
    for name in _PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions
