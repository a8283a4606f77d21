"""What a user allows while a model is loaded, and what is known of the code that it needs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass

from kexport.bundle.code_entry import CodeEntry


@dataclass(frozen=True)
class Grant:
    """What may run while a model is loaded, and what its code was when its bundle was built.

    Attributes:
        allow_lambda: whether Lambda layers may be loaded: Python bytecode that runs then.
        imports: what has been imported to register the classes in the file, as the user named it.
        code: the code that the bundle records; empty where there is no record.
        unrestricted: whether a SavedModel may hold any operation.
        max_bytes: what limits on size are raised to.
    """

    allow_lambda: bool = False
    imports: tuple[str, ...] = ()
    code: tuple[CodeEntry, ...] = ()
    unrestricted: bool = False
    max_bytes: int = 0


# Ambient, because the opener of a runtime takes an artifact and its signature alone. Only a `Trust` sets it.
_grant: ContextVar[Grant] = ContextVar("_grant", default=Grant())  # noqa: B039  it is frozen


@contextlib.contextmanager
def granting(grant: Grant) -> Iterator[None]:
    """Within the block, models are loaded on these terms."""
    token = _grant.set(grant)
    try:
        yield
    finally:
        _grant.reset(token)


def granted() -> Grant:
    """The terms that hold here."""
    return _grant.get()
