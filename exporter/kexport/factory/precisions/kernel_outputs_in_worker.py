"""Task of a process that loads a runtime: the integers that an artifact gives on the goldens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypedDict

from kexport import runtimes
from kexport.bundle import npz
from kexport.bundle.folder import Bundle
from kexport.bundle.kernels_entry import array_name
from kexport.bundle.manifest import Artifact
from kexport.bundle.signature import Array
from kexport.errors import KexportError
from kexport.parity.kernel_steps import steps_of
from kexport.runtimes import Runtime


class KernelsJson(TypedDict):
    """What one class of kernels gave.

    Attributes:
        kernels: its name.
        path: the file with its integers.
    """

    kernels: str
    path: str


def serve(bundle: str, artifact: str, runtime: str, folder: str) -> Iterator[KernelsJson]:
    """Run an artifact on all goldens, with each class of kernels; yields those that do not fail.

    Args:
        bundle: the path of the bundle.
        artifact: that of the artifact in it.
        runtime: the name of the runtime.
        folder: where the files are written.
    """
    opened, own = Bundle.open(bundle, 1 << 62), runtimes.get(runtime)
    (entry,) = (each for each in opened.manifest.artifacts if each.path == artifact)
    ways = {own.name: own}
    ways |= {f"{own.name} {name}": replace(own, opener=opener) for name, opener in own.other_openers.items()}
    for index, (kernels, way) in enumerate(ways.items()):
        try:
            arrays = _integers(opened, entry, way)
        except KexportError:
            continue
        path = Path(folder) / f"{own.name}.{index}.npz"
        npz.write(path, arrays)
        yield {"kernels": kernels, "path": str(path)}


def _integers(bundle: Bundle, artifact: Artifact, runtime: Runtime) -> dict[str, Array]:
    """By golden and output; without an output that is no number."""
    session = runtime.open(bundle.path / artifact.path, bundle.signature)
    found: dict[str, Array] = {}
    for index, golden in enumerate(bundle.goldens(checked=True)):
        values = session(dict(golden.inputs))
        for name, stored in artifact.steps.items():
            integers = steps_of(values[name], stored)
            if integers is not None:
                found[array_name(index, name)] = integers
    return found
