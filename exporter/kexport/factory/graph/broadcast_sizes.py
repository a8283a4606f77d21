"""The axes along which a tensor was broadcast, before they are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kexport.factory.graph.protocols import Size


@dataclass(frozen=True)
class Broadcast:
    """The sizes of a tensor and of the other one that it was broadcast with; a number where it is known."""

    own: Sequence[Size]
    other: Sequence[Size]
