"""Replacing a method of Keras for the length of a block.

Keras has no hook for what kexport must see or change while it traces a model: each layer that is called, and the scope
that it opens in the graph. So methods of its classes are replaced, for the whole process, and put back when the block
is left. No two threads of a process may trace models with kexport at the same time.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

#: A method of a class as a function of `self` and its arguments.
Method = Callable[..., object]


@contextlib.contextmanager
def replaced(owner: object, method: str, make: Callable[[Method], Method]) -> Iterator[None]:
    """Replace a method of a class, or a function of a module, within the block.

    Args:
        owner: the class or module.
        method: the name of the method.
        make: gives the replacement, from the original.
    """
    original = getattr(owner, method)
    setattr(owner, method, make(original))
    try:
        yield
    finally:
        setattr(owner, method, original)
