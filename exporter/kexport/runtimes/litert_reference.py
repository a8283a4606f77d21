"""LiteRT with its reference kernels, whose results TensorFlow Lite Micro reproduces bit by bit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from kexport.bundle.signature import Signature
from kexport.runtimes._session import Opened
from kexport.runtimes.litert import RUNTIME as LITERT
from kexport.runtimes.litert import open_with


def _open(path: Path, signature: Signature) -> Opened:
    return open_with("BUILTIN_REF", path, signature)


RUNTIME = replace(
    LITERT,
    name="litert_reference",
    rank=30,
    summary="LiteRT interpreter, reference kernels",
    opener=_open,
    accumulation_factor=4.0,
    repeatable_integers=True,
)
