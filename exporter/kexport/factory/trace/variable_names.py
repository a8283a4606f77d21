"""Variable names that a graph accepts."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator

from kexport.factory.trace.protocols import GraphVariable


@contextlib.contextmanager
def valid(variables: Iterable[GraphVariable]) -> Iterator[None]:
    """Within the block, names are valid in a graph: no leading `_`, and ASCII characters only."""
    with contextlib.ExitStack() as stack:
        for variable in variables:
            name = variable._handle_name
            if (fit := _fit(name)) != name:
                variable._handle_name = fit
                stack.callback(setattr, variable, "_handle_name", name)
        yield


def _fit(name: str) -> str:
    """The nearest name that a graph accepts; the output number after the last colon stays."""
    name, colon, number = name.rpartition(":")
    fit = re.sub(r"[^A-Za-z0-9_.\\/>-]", "_", name)
    return (fit if fit[:1].isalnum() else f"v{fit}") + colon + number
