"""Golden inputs and the true outputs for them, stored as numbers in an `.npz` that is never unpickled."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from kexport.bundle.signature import Array, Signature
from kexport.errors import BundleError

FILE_NAME = "goldens.npz"


@dataclass(frozen=True)
class Golden:
    """One case: what goes in, and what is true of what must come out.

    Attributes:
        label: what kind of input it is, in a few words.
        inputs: one array an input, in its own dtype.
        truth: one array an output; float64 where the output is real.
        own: what Keras itself computes, of the outputs where float arithmetic makes it another answer than the
            truth: another whole number, or NaN or infinity in other places. Both answers are right.
    """

    label: str
    inputs: Mapping[str, Array]
    truth: Mapping[str, Array]
    own: Mapping[str, Array] = field(default_factory=dict)


def write(path: Path, goldens: Sequence[Golden]) -> None:
    """Write the arrays as `N/input/NAME`, `N/truth/NAME` and `N/own/NAME`, deterministically."""
    arrays: dict[str, Array] = {}
    for index, golden in enumerate(goldens):
        arrays |= {f"{index}/input/{name}": value for name, value in golden.inputs.items()}
        arrays |= {f"{index}/truth/{name}": value for name, value in golden.truth.items()}
        arrays |= {f"{index}/own/{name}": value for name, value in golden.own.items()}
    np.savez_compressed(path, allow_pickle=False, **arrays)


def read(path: Path, signature: Signature, labels: Sequence[str]) -> list[Golden]:
    """The goldens of a bundle, in order.

    Raises:
        BundleError: the file is damaged, or lacks an array.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            return [
                Golden(
                    label,
                    {spec.name: stored[f"{index}/input/{spec.name}"] for spec in signature.inputs},
                    {spec.name: stored[f"{index}/truth/{spec.name}"] for spec in signature.outputs},
                    {
                        spec.name: stored[f"{index}/own/{spec.name}"]
                        for spec in signature.outputs
                        if f"{index}/own/{spec.name}" in stored
                    },
                )
                for index, label in enumerate(labels)
            ]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise BundleError(f"{path.name} is damaged", got=error, hint="build the bundle again") from None
