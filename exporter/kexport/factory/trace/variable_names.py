"""Names of variables that a graph takes."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator
from typing import Any


@contextlib.contextmanager
def valid(variables: Iterable[Any]) -> Iterator[None]:
    """Within the block no name has what TensorFlow refuses there: a `_` as its first letter, or what is not ASCII."""
    with contextlib.ExitStack() as stack:
        for variable in variables:
            name = variable._handle_name
            if (fit := _fit(name)) != name:
                variable._handle_name = fit
                stack.callback(setattr, variable, "_handle_name", name)
        yield


def _fit(name: str) -> str:
    """The name, in which only the number of its output comes after a colon."""
    name, colon, number = name.rpartition(":")
    fit = re.sub(r"[^A-Za-z0-9_.\\/>-]", "_", name)
    return (fit if fit[:1].isalnum() else f"v{fit}") + colon + number
