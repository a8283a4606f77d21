"""Inputs and outputs that shall be integers, and are not."""

from __future__ import annotations

from kexport.errors import ExportError


def integers_refused(form: str, name: str, got: str) -> ExportError:
    """The error for a model of which an input or output stays what it is when all arithmetic becomes that of integers.

    Args:
        form: the name of the format.
        name: of the input or output.
        got: what it is.
    """
    return ExportError(
        f"the model cannot take and return integers as {form}",
        got=f"{name!r} stays {got}: the operation beside it has no integer kernel",
    )
