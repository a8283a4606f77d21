"""`kexport localise`."""

from __future__ import annotations

import click

from kexport.errors import FAILED


@click.command("localise")
@click.argument("bundle", metavar="BUNDLE")
@click.option("--runtime", "runtimes", multiple=True, metavar="NAME", help="Only this runtime; may be repeated.")
@click.option(
    "--import", "imports", multiple=True, metavar="FILE|MODULE", help="Run this code before the .keras file is loaded."
)
@click.option("--allow-lambda", is_flag=True, help="Load Lambda layers, which runs the bytecode in the file.")
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON on standard output.")
def COMMAND(  # noqa: N802  (the name by which the group finds it)
    bundle: str, runtimes: tuple[str, ...], imports: tuple[str, ...], allow_lambda: bool, as_json: bool
) -> int:
    """Name the layer at which an artifact of a bundle parts from the model.

    Every layer's result in the ONNX or TFLite artifact is compared with the truth, which the bundle's .keras file
    gives; so this needs TensorFlow. Without --runtime it takes every runtime whose artifact can be looked into.
    """
    from kexport.cli._boundary import quiet_libraries
    from kexport.cli._progress import Steps
    from kexport.factory.localisation.localise import localise
    from kexport.reports import _layers as layers

    with quiet_libraries() as stream, Steps(stream) as steps:
        found = localise(bundle, list(runtimes) or None, imports=imports, allow_lambda=allow_lambda, progress=steps)
    if as_json:
        click.echo(layers.render_json(bundle, found))
    else:
        click.echo("\n\n".join(map(layers.render, found)))
    return 0 if all(each.passed for each in found) else FAILED
