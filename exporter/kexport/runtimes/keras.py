"""Keras on TensorFlow, with the `.keras` file loaded anew."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kexport.bundle.signature import Array, Signature
from kexport.runtimes._runtime import Opened, Runtime
from kexport.runtimes.keras_model import file, reloaded


def _open(path: Path, signature: Signature) -> Opened:
    model = file.load_file(path)
    face = reloaded.inputs(model, signature)
    if not face.output_names:
        face = face.with_outputs(face.concrete(model)[1])

    def run(arrays: Sequence[Array]) -> Sequence[Array]:
        return face.run(model, arrays)

    return Opened(run, face.inputs, reloaded.outputs(model, face, signature))


RUNTIME = Runtime(
    name="keras",
    reads="keras",
    module="keras",
    distribution=("keras",),
    extra="build",
    rank=50,
    summary="Keras on TensorFlow, the .keras file reloaded",
    opener=_open,
    runs_user_code=True,
)
