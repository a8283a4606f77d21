"""Keras on TensorFlow, with the `.keras` file loaded anew."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from kexport.bundle.signature import Array, Signature
from kexport.runtimes import _keras_model
from kexport.runtimes._keras_interface import Interface
from kexport.runtimes._runtime import Opened, Runtime


def _open(path: Path, signature: Signature) -> Opened:
    model = _keras_model.load_file(path)
    import keras

    face = Interface.of(model)
    guessed = not face.tensors or isinstance(model, keras.Sequential)
    if guessed and len(face.inputs) == len(signature.inputs):
        # Of a model that is no graph of layers, the file keeps shapes and structures, not names and dtypes; those of
        # a sequential one may be what Keras guessed.
        face = dataclasses.replace(face, inputs=signature.inputs)
    if not face.output_names:
        face = face.with_outputs(face.concrete(model)[1])

    def run(arrays: Sequence[Array]) -> Sequence[Array]:
        return face.run(model, arrays)

    # The file does not keep the name of an input that nobody named; order, dtype and shape tell inputs apart.
    # Nor does it keep the name of a layer whose constructor takes none, after which an output is called.
    names = [spec.name for spec in signature.inputs]
    inputs = tuple(
        dataclasses.replace(spec, name=names[index] if index < len(names) else spec.name)
        for index, spec in enumerate(face.inputs)
    )
    outputs = tuple(spec.name for spec in signature.outputs)
    return Opened(run, inputs, outputs if len(outputs) == len(face.output_names) else face.output_names)


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
