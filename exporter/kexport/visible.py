"""Text for people's terminals: what would move the cursor, change colours or reorder a line is shown as an escape."""

from __future__ import annotations

import re

# Controls but for tab and newline; separators of lines; marks of direction; halves of surrogate pairs.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(text: str) -> str:
    """The text with every character escaped that a terminal would obey instead of showing it."""
    return _UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)
