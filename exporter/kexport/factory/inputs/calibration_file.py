"""The file in which calibration inputs are handed over to a converter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from kexport.bundle import npz
from kexport.bundle.signature import Array, Signature

_RECORDED, _SHARED = "recorded", "shared"


class CalibrationCall(NamedTuple):
    """The inputs of one call.

    Attributes:
        feeds: by the names of the inputs.
        recorded: whether they occurred, and were not drawn.
    """

    feeds: Mapping[str, Array]
    recorded: bool = False


def write_inputs(path: Path, calls: Iterable[CalibrationCall], *, shared: bool = False) -> None:
    """Write the inputs of each call as `N/NAME`, which calls were recorded, and whether these check the result, too."""
    arrays: dict[str, Array] = {}
    recorded = []
    for number, call in enumerate(calls):
        arrays |= {f"{number}/{name}": value for name, value in call.feeds.items()}
        recorded.append(call.recorded)
    npz.write(path, {**arrays, _RECORDED: np.array(recorded, bool), _SHARED: np.array(shared)})


def is_shared(path: Path) -> bool:
    """Whether the recorded inputs also check the result: what is fitted to them would be judged by them."""
    with np.load(path, allow_pickle=False) as stored:
        return bool(stored[_SHARED])


def read_inputs(path: Path, signature: Signature, *, recorded: bool | None = None) -> Iterator[list[Array]]:
    """The inputs of each call, in the order of the signature; one sample at a time where its batch is 1.

    Args:
        path: of the file.
        signature: of the model.
        recorded: only those that occurred, or those that did not.
    """
    with np.load(path, allow_pickle=False) as stored:
        which = stored[_RECORDED]
        for number in range(len(which)) if recorded is None else np.flatnonzero(which == recorded):
            arrays = [stored[f"{number}/{spec.name}"] for spec in signature.inputs]
            if any(spec.shape[:1] == (1,) for spec in signature.inputs):
                for row in range(max(len(array) for array in arrays)):
                    yield [array[row : row + 1] if spec.shape[:1] == (1,) else array
                           for array, spec in zip(arrays, signature.inputs, strict=True)]  # fmt: skip
            else:
                yield arrays
