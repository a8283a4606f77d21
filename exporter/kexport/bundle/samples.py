"""Recorded data in a bundle, `samples.npz`: one part to check on, one to calibrate quantised artifacts on.

The split depends only on the index of a row, so the number of rows determines the part of each. Where the first axis
of an input has a fixed size, blocks of that many rows stay together.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from kexport.bundle.archives import EXPANSION, Archive
from kexport.bundle.digests import digest
from kexport.bundle.domain import Domain, Samples
from kexport.bundle.json_files import flag, mapping, member, object_of, require_schema, text, whole
from kexport.bundle.json_text import JsonObject
from kexport.bundle.npz import NpzArrays
from kexport.bundle.signature import Array, Signature, TensorSpec
from kexport.errors import BundleError

FILE_NAME = "samples.npz"
SCHEMA = 1
CALIBRATION_ROWS = 512  # at most; a calibration gains nothing from more
_FEW = 16  # blocks; fewer are not split
#: What a bundle keeps of a recording: a hundred times what a check needs, in a file that is still easy to copy.
MOST_ROWS, MOST_BYTES = 50_000, 1 << 27
_WORTH_COMPRESSING = 1 << 24  # bytes; recorded data beyond that compresses badly


@dataclass(frozen=True)
class Rows:
    """The number of rows of an input in each part; `shared` if both parts are the same rows."""

    check: int
    calibration: int
    shared: bool = False

    @property
    def count(self) -> int:
        """The number of rows of the whole recording."""
        return self.check if self.shared else self.check + self.calibration


@dataclass(frozen=True)
class SamplesEntry:
    """The `samples` of a manifest.

    Attributes:
        path: the path of the file, relative to the bundle.
        sha256: the digest of the file.
        rows: the size of the parts, for each input with recorded data.
    """

    path: str
    sha256: str
    rows: Mapping[str, Rows]

    def to_json(self) -> dict[str, object]:
        """The entry in the manifest; an entry that states no schema has schema 1."""
        return {"path": self.path, "sha256": self.sha256, "rows": {name: asdict(r) for name, r in self.rows.items()}}

    @classmethod
    def from_json(cls, data: JsonObject) -> SamplesEntry:
        """The inverse of `to_json`.

        Raises:
            BundleError: the entry has a newer schema.
            FieldError: an entry is missing or of the wrong type.
        """
        entry = require_schema("the samples entry of the manifest", data, SCHEMA, absent=1)
        sizes = member(entry, "rows", mapping)
        rows = {name: member(sizes, name, object_of(_rows_from_json)) for name in sizes}
        return cls(member(entry, "path", text), member(entry, "sha256", text), rows)


def _rows_from_json(sizes: JsonObject) -> Rows:
    return Rows(member(sizes, "check", whole), member(sizes, "calibration", whole), member(sizes, "shared", flag))


def unit(spec: TensorSpec) -> int:
    """The number of rows that the input takes at a time: a block, which is never split."""
    return (spec.shape[0] if spec.shape else None) or 1


def split(count: int, together: int = 1) -> tuple[Array, Array]:
    """Indices of the rows to check on and of those to calibrate on; all rows for both if there are few."""
    rows = np.arange(count)
    blocks = count // together
    if blocks < _FEW:
        return rows, rows
    step = max(2, math.ceil(blocks / max(1, CALIBRATION_ROWS // together)))
    mask = rows // together % step == step - 1
    mask[blocks * together :] = False  # an incomplete block calibrates nothing
    return rows[~mask], rows[mask]


def rows_of(count: int, together: int = 1) -> Rows:
    """The sizes of the parts that `split` makes."""
    check, calibration = split(count, together)
    return Rows(len(check), len(calibration), shared=count // together < _FEW)


def thinned(arrays: Mapping[str, Array], specs: Sequence[TensorSpec]) -> dict[str, Array]:
    """The arrays themselves, or evenly spaced rows of them if they exceed what a bundle keeps."""
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


def write(folder: Path, signature: Signature, domains: Mapping[str, Domain]) -> SamplesEntry | None:
    """Write `check/NAME` and `calibration/NAME` for every input with recorded data; None if there is no such input."""
    arrays: dict[str, Array] = {}
    rows: dict[str, Rows] = {}
    for spec in signature.inputs:
        domain = domains[spec.name]
        if isinstance(domain, Samples):
            parts = split(len(domain.values), unit(spec))
            rows[spec.name] = rows_of(len(domain.values), unit(spec))
            arrays |= {
                f"{part}/{spec.name}": domain.values[rows_of_part]
                for part, rows_of_part in zip(_PARTS, parts, strict=True)
            }
    if not arrays:
        return None
    small = sum(array.nbytes for array in arrays.values()) <= _WORTH_COMPRESSING
    path = folder / FILE_NAME
    (np.savez_compressed if small else np.savez)(path, allow_pickle=False, **arrays)
    return SamplesEntry(FILE_NAME, digest(path), rows)


_PARTS = ("check", "calibration")


def read(path: Path, entry: SamplesEntry, part: str, expansion: int = EXPANSION) -> dict[str, Array]:
    """One part of the recorded data, `"check"` or `"calibration"`, by input.

    Args:
        path: the path of the file.
        entry: what the manifest states about it.
        part: the part.
        expansion: by how many bytes the arrays may be larger than the file.

    Raises:
        BundleError: the file is damaged, or its number of rows differs from the manifest.
    """
    hint = "build the bundle again"
    try:
        stored = NpzArrays(Archive(path, expansion=expansion))
        arrays = {name: np.array(stored[f"{part}/{name}"]) for name in entry.rows}
    except (OSError, ValueError, KeyError) as error:
        raise BundleError(f"{path.name} is damaged", got=error, hint=hint) from None
    for name, rows in entry.rows.items():
        if not arrays[name].ndim or len(arrays[name]) != getattr(rows, part):
            raise BundleError(f"{path.name} and the manifest differ in the number of {part} rows of {name!r}",
                              got=arrays[name].shape, expected=getattr(rows, part), hint=hint)  # fmt: skip
    return arrays


def _require_fitting(path: Path, spec: TensorSpec, values: Array) -> None:
    """Raise `BundleError` unless rows hold texts where the input does, else numbers, with as many axes."""
    is_text, wants_text = values.dtype.kind not in "biufc", spec.numpy_dtype.kind == "U"
    if is_text != wants_text or values.ndim != len(spec.shape):
        raise BundleError(
            f"{path.name} does not hold what input {spec.name!r} takes",
            got=f"{values.dtype} {values.shape}",
            expected=str(spec),
            hint="build the bundle again",
        )


def restored(path: Path, entry: SamplesEntry, signature: Signature, expansion: int = EXPANSION) -> dict[str, Samples]:
    """The whole recording of every input, its rows in their original order; raises as `read` does."""
    check, calibration = (read(path, entry, part, expansion) for part in _PARTS)
    recordings = {}
    for spec in signature.inputs:
        if spec.name not in entry.rows:
            continue
        for each in (check[spec.name], calibration[spec.name]):
            _require_fitting(path, spec, each)
        rows = entry.rows[spec.name]
        if rows.shared:
            recordings[spec.name] = Samples(check[spec.name])
            continue
        parts = check[spec.name], calibration[spec.name]
        whole = np.empty((rows.count, *parts[0].shape[1:]), np.result_type(*parts))
        places = split(rows.count, unit(spec))
        for place, values in zip(places, parts, strict=True):
            if len(place) != len(values):
                raise BundleError(f"{path.name} is not split the way this version of kexport splits recorded data")
            whole[place] = values
        recordings[spec.name] = Samples(whole)
    return recordings
