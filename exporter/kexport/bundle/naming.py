"""Names of inputs and outputs that every format can carry, the same in all of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence


def carried(name: str) -> str:
    """The name with each character that some format refuses replaced by `_`; it begins with a letter."""
    clean = re.sub(r"[^A-Za-z0-9_]", "_", name)
    return clean if clean[:1].isalpha() else f"t{clean}"


def unique(names: Sequence[str], taken: Iterable[str] = ()) -> list[str]:
    """Carried names, all different: the second of a name gets `_1`, the third `_2`, and so on."""
    seen = set(taken)
    result = []
    for name in map(carried, names):
        candidate, count = name, 0
        while candidate in seen:
            count += 1
            candidate = f"{name}_{count}"
        seen.add(candidate)
        result.append(candidate)
    return result
