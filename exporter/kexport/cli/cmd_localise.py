"""`kexport localise`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from kexport.cli._options import JSON, RUNTIMES, trusting

if TYPE_CHECKING:
    from kexport.field.trust import Trust


@click.command("localise")
@click.argument("bundle", metavar="BUNDLE")
@RUNTIMES
@trusting
@JSON
def command(bundle: str, runtimes: tuple[str, ...], trust: Trust, as_json: bool) -> int:
    """Name the layer at which an artifact of a bundle diverges from the model.

    The result of every layer in an artifact is compared with the truth, which is computed from the bundle's .keras
    file; so this needs TensorFlow. Without --runtime it takes every installed runtime whose artifacts have
    observable layers. A bundle that was rejected when it was built never passes: what the build's report says then
    follows, and where the model itself is no function, the layer that makes it so.
    """
    from kexport.cli._boundary import quiet_libraries
    from kexport.cli._progress import ProgressDisplay
    from kexport.factory.localisation import localise
    from kexport.reports import layers_json, layers_table, screen_width

    with quiet_libraries() as stream, ProgressDisplay(stream) as progress:
        found = localise(bundle, list(runtimes) or None, trust, progress)
    if as_json:
        click.echo(layers_json(bundle, found))
    else:
        click.echo(layers_table(found, screen_width(sys.stdout)))
    return found.exit_code


COMMAND = command
