"""The integers that kernels gave at the build, and how far other kernels may be from them: of one artifact."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kexport.bundle.entry_parts import path_of
from kexport.bundle.json_files import mapping, member, object_of, text, whole
from kexport.bundle.json_text import Json, JsonObject

#: Where the manifest says how the integers of an artifact's outputs stand for real numbers.
STEPS = "steps"
#: Where it says which integers each class of kernels gave.
KERNELS = "kernels"


@dataclass(frozen=True)
class KernelsEntry:
    """The entry in the details of an artifact of integers.

    Attributes:
        path: the file with the integers, relative to the bundle: `KERNELS/GOLDEN/OUTPUT`, in the dtype of the output.
        sha256: its digest.
        allowed: by class of kernels and output, how many steps of the output's scale the same kernels may be away on
            another machine; 0 for those that give the same integers everywhere.
    """

    path: str
    sha256: str
    allowed: Mapping[str, Mapping[str, int]]

    def to_json(self) -> dict[str, object]:
        """The entry in the manifest."""
        return {"path": self.path, "sha256": self.sha256, "allowed": {k: dict(v) for k, v in self.allowed.items()}}

    @classmethod
    def from_json(cls, data: JsonObject) -> KernelsEntry:
        """The inverse of `to_json`.

        Raises:
            BundleError: the path leads out of the bundle.
            FieldError: an entry is missing or of the wrong type.
        """
        return cls(member(data, "path", path_of), member(data, "sha256", text), member(data, "allowed", _by_kernels))


def array_name(golden: int, output: str) -> str:
    """The name of an array in the file, behind that of the class of kernels and a slash."""
    return f"{golden}/{output}"


def _by_kernels(value: Json) -> dict[str, dict[str, int]]:
    entries = mapping(value)
    return {kernels: member(entries, kernels, _steps) for kernels in entries}


def _steps(value: Json) -> dict[str, int]:
    entries = mapping(value)
    return {output: member(entries, output, whole) for output in entries}


kernels_of = object_of(KernelsEntry.from_json)
