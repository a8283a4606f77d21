"""Options of the form KEY=VALUE that may be repeated."""

from __future__ import annotations

from collections.abc import Callable

import click

from kexport.errors import UsageError


def pairs(example: str) -> Callable[[click.Context, click.Parameter, tuple[str, ...]], dict[str, str]]:
    """A callback that turns the values of such an option into a mapping; `example` is a value, for error messages."""

    def split(ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
        result, option = {}, parameter.opts[0]
        for value in values:
            name, equals, text = value.partition("=")
            if not equals or not name:
                raise UsageError(f"{option} {value!r} has no value", expected=f"{option} {example}")
            result[name.strip()] = text.strip()
        return result

    return split
