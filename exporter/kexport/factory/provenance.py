"""Records what a bundle was built with: versions only, so that it contains no time, user, host or path."""

from __future__ import annotations

import platform
from importlib import metadata

import kexport

_PACKAGES = ("tensorflow", "tensorflow-cpu", "keras", "tf2onnx", "onnx", "numpy")


def provenance() -> dict[str, str]:
    """Versions of kexport, Python and the packages that wrote the artifacts."""
    versions = {"kexport": kexport.__version__, "python": platform.python_version()}
    for name in _PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions
