"""Options of the form KEY=VALUE that may be repeated."""

from __future__ import annotations

from collections.abc import Callable

import click

from kexport.errors import UsageError


def pairs(
    example: str, lacking: str = "", hint: str | None = None
) -> Callable[[click.Context, click.Parameter, tuple[str, ...]], dict[str, str]]:
    """A callback that turns the values of such an option into a mapping.

    Args:
        example: a value, for error messages.
        lacking: what a value begins with that people leave out.
        hint: where they find it.
    """

    def split(ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
        result, option = {}, parameter.opts[0]
        for value in values:
            name, equals, text = value.partition("=")
            if not equals or not name:
                if lacking and value:
                    said = f"{option} {value!r} does not say of what: it lacks {lacking}"
                    raise UsageError(said, expected=f"{option} {example}", hint=hint)
                raise UsageError(f"{option} {value!r} has no value", expected=f"{option} {example}", hint=hint)
            result[name.strip()] = text.strip()
        return result

    return split
