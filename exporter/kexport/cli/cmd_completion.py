"""`kexport completion`."""

from __future__ import annotations

import click

from kexport.cli._command import ToolCommand
from kexport.cli._completion import VARIABLE, one_of

SHELLS = ("bash", "zsh", "fish")


@click.command(
    "completion",
    cls=ToolCommand,
    examples=(
        'eval "$(kexport completion bash)"',
        "kexport completion zsh > ~/.zfunc/_kexport",
        "kexport completion fish > ~/.config/fish/completions/kexport.fish",
    ),
)
@click.argument("shell", metavar="|".join(SHELLS), shell_complete=one_of(lambda: SHELLS))
def command(shell: str) -> None:
    """Print what completes commands, options and names in a shell.

    Models, layers, formats, runtimes and precisions complete by name.
    """
    from click.shell_completion import get_completion_class

    from kexport.cli._group import kexport
    from kexport.errors import require_known

    require_known(shell, SHELLS, f"completion is not known for the shell {shell!r}")
    script = get_completion_class(shell)
    assert script is not None  # click knows these three
    click.echo(script(kexport, {}, "kexport", VARIABLE).source())


COMMAND = command
