"""Keras on TensorFlow, with the `.keras` file loaded again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kexport.bundle.signature import Array, Signature
from kexport.runtimes._runtime import ArtifactFile, Package, Runtime
from kexport.runtimes._session import Opened
from kexport.runtimes.keras_model import SUFFIXES, load_file
from kexport.runtimes.keras_model.file_interface import interface_of_file, output_names


def _open(path: Path, signature: Signature) -> Opened:
    model = load_file(path)
    interface = interface_of_file(model, signature)
    if not interface.output_names:
        interface = interface.with_outputs(interface.concrete(model)[1])

    def run(arrays: Sequence[Array]) -> Sequence[Array]:
        return interface.run(model, arrays)

    return Opened(run, interface.inputs, output_names(model, interface, signature))


RUNTIME = Runtime(
    name="keras",
    file=ArtifactFile("keras", ".keras", SUFFIXES),
    package=Package("keras", ("keras",), extra="build"),
    rank=50,
    summary="Keras on TensorFlow, the .keras file reloaded",
    opener=_open,
    runs_user_code=True,
)
