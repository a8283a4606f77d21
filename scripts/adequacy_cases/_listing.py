"""What a bundle's manifest lists as unseen by its goldens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Listing:
    """What is unseen, by name.

    Attributes:
        entries: of the manifest.
    """

    entries: Sequence[Mapping[str, Any]] = ()

    @classmethod
    def of(cls, manifest: Mapping[str, Any]) -> Listing:
        """The listing of a manifest; empty where it has none."""
        return cls(manifest.get("adequacy", {}).get("unseen", ()))

    def names(self, tensor: str, where: Sequence[Sequence[int]]) -> bool:
        """Whether the tensor is listed: all of it, or the part that is changed."""
        return any(
            _same(entry["subject"], tensor) and (not entry.get("part") or _covers(entry, where))
            for entry in self.entries
        )


def _same(subject: str, tensor: str) -> bool:
    return subject == tensor or tensor.endswith(f"/{subject}") or subject.endswith(f"/{tensor}")


def _covers(entry: Mapping[str, Any], where: Sequence[Sequence[int]]) -> bool:
    """Whether something changed is among the numbers that are listed, or all of them cannot be listed."""
    numbers = set(map(str, entry.get("numbers", ())))
    if entry.get("count", 0) > len(numbers):
        return True
    changed = {str(number) for axis in where for number in axis}
    return bool(numbers & changed) or not numbers
