"""`kexport doctor`."""

from __future__ import annotations

import platform
from importlib import metadata

import click

from kexport import __version__

_FACTORY = ("keras", "tensorflow", "tf2onnx", "onnx", "scipy")


@click.command("doctor")
def command() -> None:
    """Say what is installed, what is missing, and the command that brings it."""
    from kexport import runtimes

    click.echo(f"kexport {__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}")
    click.echo("\nruntimes")
    for runtime in runtimes.every():
        _line(runtime.name, runtime.version if runtime.installed else None, runtime.extra)
    click.echo("\nfactory")
    for name in _FACTORY:
        _line(name, _version(name), "build")


COMMAND = command


def _line(name: str, version: str | None, extra: str) -> None:
    state = version or f"missing: pip install 'kexport[{extra}]'"
    click.echo(f"  {name:<17} {state}")


def _version(module: str) -> str | None:
    for name in (module, f"{module}-cpu"):
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return None
