"""Which layers compute in integers, and which a person, or the search for a mixed precision, keeps in float."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from kexport.errors import ExportError


def layer_name(words: str) -> str:
    """The name of a layer, from the words that a trail has for it: `d1` of `layer 'd1' (Dense)`."""
    found = re.search(r"'([^']+)'", words)
    return found[1] if found else words


def require_layers(kept: Iterable[str], present: Sequence[str], precision: str) -> frozenset[str]:
    """The words of the layers to keep in float.

    Args:
        kept: their names.
        present: the words of all layers that compute in integers.
        precision: of the artifact.

    Raises:
        ExportError: there is none of one of the names.
    """
    by_name = {layer_name(words): words for words in present}
    for name in kept:
        if name not in by_name:
            known = ", ".join(by_name) or "none"
            raise ExportError(f"no layer {name!r} computes in integers as {precision}: those that do are {known}")
    return frozenset(by_name[name] for name in kept)
