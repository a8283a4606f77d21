"""How strictly artifacts are checked: the options that the commands which check have in common."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

from kexport.cli._pairs import pairs


def strictness(function: Callable[..., int], default: str | None = None) -> Callable[..., int]:
    """Give a command `--search`, `--seed` and `--tolerance`; it gets `search`, a budget, and `tolerance`.

    `default` is the budget of a command that searches without being asked to.
    """
    by_default = f" By default {default}." if default else ""

    @click.option(
        "--search",
        metavar="30s|5000",
        default=default,
        help=f"Search that long, or so often, for the worst input.{by_default}",
    )
    @click.option("--seed", type=click.IntRange(min=0), default=0, help="Of the search; the same finds the same.")
    @click.option(
        "--tolerance",
        multiple=True,
        metavar="OUTPUT=LIMIT[: REASON]",
        callback=pairs("'out=1e-4: 12-bit sensor'"),
        help="A limit in place of the derived one: relative to the output's scale, or 40dB of signal to error.",
    )
    @functools.wraps(function)
    def command(*args: Any, search: str | None, seed: int, tolerance: dict[str, str], **options: Any) -> int:
        from kexport.parity.budget import Budget
        from kexport.parity.tolerance import Tolerance

        budget = None if search is None else Budget.parse(search, seed)
        read = {name: Tolerance.parse(text) for name, text in tolerance.items()}
        return function(*args, search=budget, tolerance=read, **options)

    return command
