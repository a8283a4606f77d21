"""Keras on TensorFlow, with the `.keras` file loaded anew."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kexport.bundle.signature import Array, Signature
from kexport.runtimes import _keras_model, _keras_told
from kexport.runtimes._runtime import Opened, Runtime


def _open(path: Path, signature: Signature) -> Opened:
    model = _keras_model.load_file(path)
    face = _keras_told.inputs(model, signature)
    if not face.output_names:
        face = face.with_outputs(face.concrete(model)[1])

    def run(arrays: Sequence[Array]) -> Sequence[Array]:
        return face.run(model, arrays)

    return Opened(run, face.inputs, _keras_told.outputs(model, face, signature))


RUNTIME = Runtime(
    name="keras",
    reads="keras",
    module="keras",
    distribution=("keras",),
    extra="build",
    rank=50,
    summary="Keras on TensorFlow, the .keras file reloaded",
    opener=_open,
)
