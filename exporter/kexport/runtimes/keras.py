"""Keras on TensorFlow, with the `.keras` file loaded anew."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from kexport.bundle.signature import Array, Signature
from kexport.runtimes import _keras_model
from kexport.runtimes._runtime import Opened, Runtime


def _open(path: Path, signature: Signature) -> Opened:
    model = _keras_model.load_file(path)
    face = _keras_model.Interface.of(model)

    def run(arrays: Sequence[Array]) -> Sequence[Array]:
        return face.run(model, arrays)

    # The file does not keep the name of an input that nobody named; order, dtype and shape tell inputs apart.
    names = [spec.name for spec in signature.inputs]
    inputs = tuple(
        dataclasses.replace(spec, name=names[index] if index < len(names) else spec.name)
        for index, spec in enumerate(face.inputs)
    )
    return Opened(run, inputs, face.output_names)


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
