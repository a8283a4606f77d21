"""The state that all assertions of one test session share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar


@dataclass
class TestSessionState:
    """What a test session requires of its assertions, and what they have compared.

    Attributes:
        required: runtimes that every assertion requires in addition to its own.
        compared: the runtimes that each assertion compared, comma-separated, until the plugin collects them.
    """

    __test__: ClassVar[bool] = False  # pytest collects classes by their names

    required: tuple[str, ...] = ()
    compared: list[str] = field(default_factory=list)


CURRENT = TestSessionState()
