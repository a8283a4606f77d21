"""Samples longer than those that a model is known to take: a few, since it may need the square of a length."""

from __future__ import annotations

from kexport.parity.space import Form, Space

_LENGTH = 257
_ROWS = 4
_ELEMENTS = 1 << 14  # of the inputs of one batch, at most


def dynamic_sizes(space: Space, form: Form) -> list[int]:
    """The sizes of the axes that may have any size, in samples of this form."""
    skip = 1 if space.batched else 0
    return [
        size
        for spec in space.inputs
        for size, declared in zip(form[spec.name], spec.shape[skip:], strict=True)
        if declared is None
    ]


def longer_form(space: Space) -> tuple[Form, int] | None:
    """A form whose dynamic axes are longer than in any known one, and how many samples of it to try.

    None where samples are recorded, or where the sizes of several axes differ: then one may follow from another.
    """
    known = [dynamic_sizes(space, form) for form in space.forms]
    if space.recorded or not space.batched or any(len(set(sizes)) != 1 for sizes in known):
        return None
    form = {spec.name: tuple(_LENGTH if size is None else size for size in spec.shape[1:]) for spec in space.inputs}
    rows = min(_ROWS, _ELEMENTS // space.elements(form))
    return (form, rows) if max(sizes[0] for sizes in known) < _LENGTH and rows else None
