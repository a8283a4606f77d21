"""`kexport doctor`."""

from __future__ import annotations

import json
import platform
import sys
from dataclasses import dataclass
from importlib import metadata

import click

from kexport import __version__
from kexport.cli import _announcement
from kexport.cli._command import ToolCommand
from kexport.cli._options import JSON
from kexport.cli._screen import echo
from kexport.screen_text import listing, screen_width

_FACTORY = ("keras", "tensorflow", "tf2onnx", "onnx", "scipy")


@click.command(
    "doctor",
    cls=ToolCommand,
    begins=lambda given: "looking at what is installed",
    stays=False,
    examples=(
        "kexport doctor",
        "kexport doctor --json",
    ),
)
@JSON
def command(as_json: bool) -> None:
    """List what is installed and what is missing, with the command that installs it."""
    from kexport import runtimes

    found: dict[str, dict[str, _Part]] = {"runtimes": {}, "factory": {}}
    for runtime in runtimes.every():
        package = runtime.package
        found["runtimes"][runtime.name] = _Part(package.version if package.installed else None, package.install_command)
    for name in _FACTORY:
        found["factory"][name] = _Part(_version(name), "pip install 'kexport[build]'")
    _announcement.forget()
    system = {"kexport": __version__, "python": platform.python_version(), "system": platform.system()}
    if as_json:
        parts = {title: {name: part.to_json() for name, part in each.items()} for title, each in found.items()}
        click.echo(json.dumps({**system, "machine": platform.machine(), **parts}, indent=2))
        return
    click.echo(f"kexport {__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}")
    for title, each in found.items():
        echo(f"\n{title}")
        for line in listing([(name, str(part)) for name, part in each.items()], screen_width(sys.stdout)):
            click.echo(line)


@dataclass(frozen=True)
class _Part:
    """A package: its version, None where it is not installed, and how to install it."""

    version: str | None
    install_command: str

    def __str__(self) -> str:
        return self.version or f"missing: {self.install_command}"

    def to_json(self) -> dict[str, str | None]:
        return {"version": self.version, "install": None if self.version else self.install_command}


def _version(module: str) -> str | None:
    for name in (module, f"{module}-cpu"):
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return None


COMMAND = command
