"""`kexport doctor`."""

from __future__ import annotations

import platform
from importlib import metadata

import click

from kexport import __version__

_FACTORY = ("keras", "tensorflow", "tf2onnx", "onnx", "scipy")


@click.command("doctor")
def command() -> None:
    """List what is installed and what is missing, with the command that installs it."""
    from kexport import runtimes

    click.echo(f"kexport {__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}")
    click.echo("\nruntimes")
    for runtime in runtimes.every():
        package = runtime.package
        _show(runtime.name, package.version if package.installed else None, package.install_command)
    click.echo("\nfactory")
    for name in _FACTORY:
        _show(name, _version(name), "pip install 'kexport[build]'")


def _show(name: str, version: str | None, install_command: str) -> None:
    state = version or f"missing: {install_command}"
    click.echo(f"  {name:<17} {state}")


def _version(module: str) -> str | None:
    for name in (module, f"{module}-cpu"):
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return None


COMMAND = command
