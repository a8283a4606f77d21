"""The command itself, whose subcommands are the files of this folder."""

from __future__ import annotations

import importlib
from pathlib import Path

import click

from kexport import __version__

_PREFIX = "cmd_"


class _Folder(click.Group):
    """A group whose commands are imported only when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(path.stem.removeprefix(_PREFIX) for path in Path(__file__).parent.glob(f"{_PREFIX}*.py"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            from kexport.cli._mistakes import unknown_command

            raise unknown_command(cmd_name, self.list_commands(ctx))
        command: click.Command = importlib.import_module(f"kexport.cli.{_PREFIX}{cmd_name}").COMMAND
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands, each with the whole first sentence of its help."""
        commands = {name: self.get_command(ctx, name) for name in self.list_commands(ctx)}
        rows = [(name, _first_sentence(command.help or "")) for name, command in commands.items() if command]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def _first_sentence(text: str) -> str:
    return " ".join(text.split("\n\n")[0].split()).partition(". ")[0].rstrip(".") + "."


@click.group(cls=_Folder, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="kexport")
def kexport() -> None:
    """Export Keras 3 models, and prove that every artifact computes the same function.

    Exit codes: 0 every check ran and passed; 1 a check failed or an export was refused; 2 usage or bad input;
    3 a requested check could not be run; 130 interrupted.
    """
