"""`kexport sign`."""

from __future__ import annotations

import sys

import click

from kexport.cli import _completion
from kexport.cli._command import ToolCommand


@click.command(
    "sign",
    cls=ToolCommand,
    examples=(
        "kexport sign artifacts/lowpass --key private.pem",
        "kexport verify artifacts/lowpass --signed-by public.pem",
    ),
)
@click.argument("path", metavar="BUNDLE", shell_complete=_completion.path)
@click.option("--key", required=True, metavar="FILE", help="A private key in PEM: EC P-256 or Ed25519.")
def command(path: str, key: str) -> int:
    """Sign a bundle: every file in it, the report of its build included, goes into BUNDLE/model.sig.

    `kexport verify BUNDLE --signed-by KEY.pub` checks it, and so does the model_signing of OpenSSF where the key is EC
    P-256. A bundle whose files are not those that were built, or whose build failed a check, is not signed. Of a folder
    of bundles each is signed.
    """
    from kexport.bundle.folder import each_bundle
    from kexport.field.authenticity import sign

    for bundle in each_bundle(path):
        signed = sign(bundle, key, _password if sys.stdin.isatty() else None)
        click.echo(f"signed {bundle}: {signed.files} files, key {signed.key[:16]}...")
    return 0


def _password() -> str:
    return str(click.prompt("Password of the key", hide_input=True, err=True))


COMMAND = command
