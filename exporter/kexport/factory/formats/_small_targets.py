"""What of the formats is written in small precisions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kexport.bundle.precision import FLOAT32, Precisions
from kexport.errors import UsageError
from kexport.factory.formats._format import Format


@dataclass(frozen=True)
class SmallTarget:
    """A format in a small precision."""

    form: Format
    precision: str

    @property
    def path(self) -> str:
        """Where it lies in the bundle."""
        return self.form.path_in(self.precision)

    @property
    def label(self) -> str:
        """What messages and the manifest call it."""
        return f"{self.form.name} {self.precision}"


def small_targets(formats: Sequence[Format], wanted: Precisions) -> list[SmallTarget]:
    """What is written in small precisions, in the order of the manifest.

    Raises:
        UsageError: none of the formats has one of them; or, where one is to be chosen, none has any.
    """
    precisions = wanted.names
    if wanted.choose and any(form.precisions for form in formats):
        precisions = tuple(name for name in precisions if any(name in form.precisions for form in formats))
    for precision in precisions:
        if precision != FLOAT32 and not any(precision in form.precisions for form in formats):
            raise UsageError(
                f"none of the formats can be written as {precision}",
                got=", ".join(form.name for form in formats),
                expected="; ".join(f"{form.name}: {', '.join(form.precisions)}" for form in formats if form.precisions)
                or "another format, such as tflite",
            )
    return [
        SmallTarget(form, precision) for form in formats for precision in form.precisions if precision in precisions
    ]
