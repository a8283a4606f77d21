"""A subcommand: it says at once what it does, and its help has options in groups, and examples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click

from kexport.cli._announcement import announce
from kexport.screen_text import wrapped

_GOES_ON = " \\"  # as shells read it

#: Titles of the groups in the help, with their options, in this order; all others come last.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "The model and its data": (
        "--model", "--set", "--signature", "--input", "--map", "--domain", "--samples", "--labels", "--metric",
        "--max-drop", "--contract",
    ),
    "What is checked": (
        "--runtime", "--require", "--signed-by", "--search", "--seed", "--truth", "--tolerance", "--budgets",
        "--unseen", "--check",
    ),
    "What is written": (
        "--out", "--formats", "--opset", "--precision", "--budget", "--io", "--calibration", "--keep",
        "--timeout", "--keep-going", "--fresh", "--output", "--witness", "--sbom", "--key",
    ),
    "The report": ("--json", "--html", "--junit", "--github", "--plots"),
    "Code that may run, and limits": ("--import", "--allow-lambda", "--trust", "--max-seconds", "--max-bytes"),
}  # fmt: skip


class ToolCommand(click.Command):
    """A subcommand.

    Args:
        examples: lines to type, which the help ends with.
        begins: what the command says at once, made from its parameters; None where its result comes at once.
        stays: whether that is a line of a pipe too.
    """

    def __init__(
        self,
        *args: Any,
        examples: tuple[str, ...] = (),
        begins: Callable[[Mapping[str, Any]], str] | None = None,
        stays: bool = True,
        **options: Any,
    ) -> None:
        options.setdefault("context_settings", {"show_default": True})
        super().__init__(*args, **options)
        self.examples, self._begins, self._stays = examples, begins, stays

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        if self._begins is not None:
            announce(self._begins(ctx.params), stays=self._stays)
        return super().invoke(ctx)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options in their groups."""
        rows: dict[str, list[tuple[str, str]]] = {title: [] for title in GROUPS}
        titles = {option: title for title, options in GROUPS.items() for option in options}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if record is not None:
                rows.setdefault(titles.get(parameter.opts[0], "Help"), []).append(record)
        for title, records in rows.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        if self.examples:
            with formatter.section("Examples"):
                for example in self.examples:
                    first, indent = " " * formatter.current_indent, " " * (formatter.current_indent + 4)
                    lines = wrapped(example, formatter.width - len(_GOES_ON), first, indent)
                    formatter.write(f"{_GOES_ON}\n".join(lines) + "\n")
