"""LiteRT with its reference kernels, whose results TensorFlow Lite Micro repeats bit by bit."""

from __future__ import annotations

from pathlib import Path

from kexport.bundle.signature import Signature
from kexport.runtimes import litert
from kexport.runtimes._runtime import Opened, Runtime


def _open(path: Path, signature: Signature) -> Opened:
    return litert.open_with("BUILTIN_REF", path, signature)


RUNTIME = Runtime(
    name="litert_reference",
    file=litert.RUNTIME.file,
    package=litert.RUNTIME.package,
    rank=30,
    summary="LiteRT interpreter, reference kernels",
    opener=_open,
    accumulation_factor=4.0,
)
