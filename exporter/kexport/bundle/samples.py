"""Recorded data in a bundle, `samples.npz`: a part to check on, and a part to calibrate quantised artifacts on.

The split goes by the index of the row alone, so that whoever knows the count knows the part of every row. Where the
first axis of an input has a fixed size, that many rows stay together.
"""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kexport.bundle.digests import digest
from kexport.bundle.domain import Domain, Samples
from kexport.bundle.signature import Array, Signature, TensorSpec
from kexport.errors import BundleError

FILE_NAME = "samples.npz"
CALIBRATION_ROWS = 512  # at most; more teach a calibration nothing
_FEW = 16  # rows; fewer are too few to be split
#: What a bundle keeps of a recording: a hundred times what a check needs, and no more than a file one may copy about.
MOST_ROWS, MOST_BYTES = 50_000, 1 << 27
_WORTH_COMPRESSING = 1 << 24  # bytes; recorded data beyond that compresses badly


@dataclass(frozen=True)
class Rows:
    """How many rows of an input each part has; `shared` when the parts are the same rows."""

    check: int
    calibration: int
    shared: bool = False

    @property
    def count(self) -> int:
        """Of the whole recording."""
        return self.check if self.shared else self.check + self.calibration


@dataclass(frozen=True)
class Stored:
    """The `samples` of a manifest: the file, its SHA-256, and the rows of each input in it."""

    path: str
    sha256: str
    rows: Mapping[str, Rows]

    def to_json(self) -> dict[str, Any]:
        """The entry in the manifest."""
        return {"path": self.path, "sha256": self.sha256, "rows": {name: asdict(r) for name, r in self.rows.items()}}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Stored:
        """The inverse of `to_json`."""
        rows = {
            name: Rows(int(entry["check"]), int(entry["calibration"]), bool(entry["shared"]))
            for name, entry in data["rows"].items()
        }
        return cls(str(data["path"]), str(data["sha256"]), rows)


def unit(spec: TensorSpec) -> int:
    """The rows that the input takes at a time, and that therefore stay together."""
    return (spec.shape[0] if spec.shape else None) or 1


def split(count: int, together: int = 1) -> tuple[Array, Array]:
    """Indices of the rows to check on and of those to calibrate on; the same ones where there are few."""
    rows = np.arange(count)
    blocks = count // together
    if blocks < _FEW:
        return rows, rows
    step = max(2, math.ceil(blocks / max(1, CALIBRATION_ROWS // together)))
    mask = rows // together % step == step - 1
    mask[blocks * together :] = False  # an incomplete block calibrates nothing
    return rows[~mask], rows[mask]


def rows_of(count: int, together: int = 1) -> Rows:
    """The sizes of the parts."""
    check, calibration = split(count, together)
    return Rows(len(check), len(calibration), shared=count // together < _FEW)


def thinned(arrays: Mapping[str, Array], specs: Sequence[TensorSpec]) -> dict[str, Array]:
    """The arrays themselves, or rows of them, evenly spread, when they are more than a bundle keeps."""
    weight = sum(array.nbytes for array in arrays.values())
    longest = max((len(array) for array in arrays.values()), default=0)
    share = min(1.0, MOST_BYTES / max(1, weight), MOST_ROWS / max(1, longest))
    together = {spec.name: unit(spec) for spec in specs}
    return {name: array if share == 1 else array[_spread(len(array), share, together[name])]
            for name, array in arrays.items()}  # fmt: skip


def _spread(count: int, share: float, together: int) -> Array:
    blocks = max(1, count // together)
    kept = max(1, int(blocks * share))
    rows = (np.arange(kept) * blocks // kept)[:, None] * together + np.arange(min(together, count))
    return rows.ravel()


def write(folder: Path, signature: Signature, domains: Mapping[str, Domain]) -> Stored | None:
    """Write `check/NAME` and `calibration/NAME` of every input with recorded data; None when none has any."""
    arrays: dict[str, Array] = {}
    rows: dict[str, Rows] = {}
    for spec in signature.inputs:
        domain = domains[spec.name]
        if isinstance(domain, Samples):
            parts = split(len(domain.values), unit(spec))
            rows[spec.name] = rows_of(len(domain.values), unit(spec))
            arrays |= {f"{part}/{spec.name}": domain.values[own] for part, own in zip(_PARTS, parts, strict=True)}
    if not arrays:
        return None
    small = sum(array.nbytes for array in arrays.values()) <= _WORTH_COMPRESSING
    path = folder / FILE_NAME
    (np.savez_compressed if small else np.savez)(path, allow_pickle=False, **arrays)
    return Stored(FILE_NAME, digest(path), rows)


_PARTS = ("check", "calibration")


def read(path: Path, stored: Stored, part: str) -> dict[str, Array]:
    """One part of the recorded data, `"check"` or `"calibration"`, by input.

    Raises:
        BundleError: the file is damaged, or holds other rows than the manifest tells.
    """
    hint = "build the bundle again"
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            found = {name: file[f"{part}/{name}"] for name in stored.rows}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise BundleError(f"{path.name} is damaged", got=error, hint=hint) from None
    for name, rows in stored.rows.items():
        if len(found[name]) != getattr(rows, part):
            raise BundleError(f"{path.name} holds other rows of {name!r} than the manifest tells",
                              got=len(found[name]), expected=getattr(rows, part), hint=hint)  # fmt: skip
    return found


def restored(path: Path, stored: Stored, signature: Signature) -> dict[str, Samples]:
    """The whole recording of every input, its rows in their order; `read` says what is raised."""
    check, calibration = (read(path, stored, part) for part in _PARTS)
    found = {}
    for spec in signature.inputs:
        if spec.name not in stored.rows:
            continue
        rows = stored.rows[spec.name]
        if rows.shared:
            found[spec.name] = Samples(check[spec.name])
            continue
        own, other = check[spec.name], calibration[spec.name]
        whole = np.empty((rows.count, *own.shape[1:]), np.result_type(own, other))
        places = split(rows.count, unit(spec))
        for place, values in zip(places, (own, other), strict=True):
            if len(place) != len(values):
                raise BundleError(f"{path.name} is split in another way than this kexport splits")
            whole[place] = values
        found[spec.name] = Samples(whole)
    return found
