"""Records what a bundle was built with: versions only, so that it contains no time, user, host or path."""

from __future__ import annotations

import contextlib
import platform
from collections.abc import Iterable
from importlib import metadata

import kexport

_PACKAGES = ("tensorflow", "tensorflow-cpu", "keras", "tf2onnx", "onnx", "numpy")


def provenance() -> dict[str, str]:
    """Versions of kexport, Python and the packages that wrote the artifacts."""
    return {"kexport": kexport.__version__, "python": platform.python_version(), **versions(_PACKAGES)}


def versions(names: Iterable[str]) -> dict[str, str]:
    """The versions of distributions, of those that are installed."""
    found = {}
    for name in names:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found
