"""Options of the form KEY=VALUE, which may be repeated."""

from __future__ import annotations

from collections.abc import Callable

import click

from kexport.errors import UsageError


def pairs(what: str) -> Callable[[click.Context, click.Parameter, tuple[str, ...]], dict[str, str]]:
    """A callback that turns the values of such an option into a mapping; `what` is an example of one."""

    def split(ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
        result = {}
        for value in values:
            name, equals, text = value.partition("=")
            if not equals or not name:
                raise UsageError(f"{parameter.opts[0]} {value!r} has no value", expected=f"{parameter.opts[0]} {what}")
            result[name.strip()] = text.strip()
        return result

    return split
