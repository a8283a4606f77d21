"""LiteRT with its reference kernels, whose results TensorFlow Lite Micro repeats bit by bit."""

from __future__ import annotations

from pathlib import Path

from kexport.bundle.signature import Signature
from kexport.runtimes._runtime import ArtifactFile, Opened, Runtime
from kexport.runtimes.files.tflite import details
from kexport.runtimes.litert import open_with


def _open(path: Path, signature: Signature) -> Opened:
    return open_with("BUILTIN_REF", path, signature)


RUNTIME = Runtime(
    name="litert_reference",
    reads="tflite",
    file=ArtifactFile(".tflite", details=details),
    module="ai_edge_litert",
    distribution=("ai-edge-litert",),
    extra="litert",
    rank=30,
    summary="LiteRT interpreter, reference kernels",
    opener=_open,
    accumulation_factor=4.0,
)
