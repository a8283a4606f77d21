"""What makes a file unsound."""

from __future__ import annotations

#: Turns that a loop may take.
LONGEST_LOOP = 1 << 24


class FlawError(Exception):
    """A part of a file is not what its format demands.

    Args:
        place: the part, as people call it.
        got: what it is.
        expected: what it must be.
    """

    def __init__(self, place: str, got: object, expected: str) -> None:
        super().__init__(f"{place}: {got}, expected {expected}")
        self.place, self.got, self.expected = place, got, expected
