"""Names of inputs and outputs that are valid, and the same, in every format."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence


def carried(name: str) -> str:
    """The name with every character that some format refuses replaced by `_`; it starts with a letter."""
    clean = re.sub(r"[^A-Za-z0-9_]", "_", name)
    return clean if clean[:1].isalpha() else f"t{clean}"


def unique(names: Sequence[str], taken: Iterable[str] = ()) -> list[str]:
    """Valid names without duplicates: the second use of a name gets `_1`, the third `_2`, and so on."""
    used = set(taken)
    result = []
    for name in map(carried, names):
        candidate, count = name, 0
        while candidate in used:
            count += 1
            candidate = f"{name}_{count}"
        used.add(candidate)
        result.append(candidate)
    return result
