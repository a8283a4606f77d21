"""The file in which calibration inputs are handed over to a converter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from kexport.bundle import npz
from kexport.bundle.signature import Array, Signature


def write_inputs(path: Path, inputs: Iterable[Mapping[str, Array]]) -> None:
    """Write the inputs as `N/NAME`."""
    npz.write(path, {f"{number}/{name}": value for number, feeds in enumerate(inputs) for name, value in feeds.items()})


def read_inputs(path: Path, signature: Signature) -> Iterator[list[Array]]:
    """The inputs of each call, in the order of the signature; one sample at a time where its batch is 1."""
    with np.load(path, allow_pickle=False) as stored:
        count = 1 + max(int(name.partition("/")[0]) for name in stored.files)
        for number in range(count):
            arrays = [stored[f"{number}/{spec.name}"] for spec in signature.inputs]
            if any(spec.shape[:1] == (1,) for spec in signature.inputs):
                for row in range(max(len(array) for array in arrays)):
                    yield [array[row : row + 1] if spec.shape[:1] == (1,) else array
                           for array, spec in zip(arrays, signature.inputs, strict=True)]  # fmt: skip
            else:
                yield arrays
