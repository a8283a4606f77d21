"""What a test session asks of every assertion in it, and what its assertions have compared."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Session:
    """The state of one test session.

    Attributes:
        required: runtimes that each assertion requires besides its own.
        compared: the runtimes that each assertion compared, one text an assertion, until they are taken away.
    """

    required: tuple[str, ...] = ()
    compared: list[str] = field(default_factory=list)


CURRENT = Session()
