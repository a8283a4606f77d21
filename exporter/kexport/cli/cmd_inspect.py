"""`kexport inspect`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from kexport.bundle.contract_entries import ContractEntry, NotCarried


@click.command("inspect")
@click.argument("path", metavar="BUNDLE|FILE")
def command(path: str) -> None:
    """Show what a bundle or a single artifact holds: signature, promises, sizes, versions, parity."""
    from kexport.bundle import manifest

    if (Path(path) / manifest.FILE_NAME).exists():
        _show_bundle(path)
    else:
        from kexport.field.inspection import describe

        _show_file(path, describe(Path(path)))


COMMAND = command


def _show_bundle(path: str) -> None:
    from kexport.bundle.folder import Bundle
    from kexport.reports import terminal

    bundle = Bundle.open(path)
    manifest = bundle.manifest
    click.echo(f"{manifest.name}: {'every check of the build passed' if bundle.passed else 'REJECTED by its build'}")
    _section("inputs", ((s.name, f"{s}" + _domain(manifest, s.name)) for s in manifest.signature.inputs))
    _section("outputs", ((s.name, str(s)) for s in manifest.signature.outputs))
    if manifest.contracts:
        _section("promises", map(_promise, manifest.contracts))
    if manifest.not_carried:
        _section("promises of layers that the model does not keep", map(_not_carried, manifest.not_carried))
    for artifact in manifest.artifacts:
        facts = {
            "format": artifact.format,
            "precision": artifact.precision,
            "size": terminal.size_text(artifact.bytes),
            "sha256": artifact.sha256,
            **artifact.details,
        }
        _section(artifact.path, _texts(facts))
    _section("built with", _texts(manifest.provenance))
    click.echo(f"\nparity, as built, over {len(manifest.cases)} goldens")
    terminal.show(bundle.report, bundle, sys.stdout)


def _show_file(path: str, facts: dict[str, Any]) -> None:
    from kexport.bundle.signature import TensorSpec
    from kexport.reports import terminal

    inputs = [TensorSpec(s["name"], s["dtype"], tuple(s["shape"])) for s in facts.pop("inputs")]
    outputs = facts.pop("outputs")
    facts["size"] = terminal.size_text(facts.pop("bytes"))
    click.echo(path)
    _section("artifact", _texts(facts))
    _section("inputs", ((spec.name, str(spec)) for spec in inputs))
    _section("outputs", ((name, "") for name in outputs))


def _promise(promised: ContractEntry) -> tuple[str, str]:
    """What is promised, in words where its kind is known here."""
    from kexport.contracts import kinds
    from kexport.errors import UsageError

    try:
        words = kinds.contract_of(promised).words()
    except UsageError:
        words = f"keeps {promised.kind} {dict(promised.params)}, which is not known here"
    by = f" (layer {promised.layer})" if promised.layer else " (stated at the build)"
    if not promised.outputs:
        return f"layer {promised.layer}", f"{words}, by its weights"
    from_inputs = f", from {', '.join(promised.inputs)}" if promised.inputs else ""
    return ", ".join(promised.outputs), words + from_inputs + by


def _not_carried(each: NotCarried) -> tuple[str, str]:
    return each.layer, f"{each.kind}: ends at {each.ended_by}: {each.why}"


def _domain(manifest: Any, name: str) -> str:
    text, origin = manifest.domains.get(name), manifest.undeclared.get(name)
    return (f" in {text}" if text else "") + (f", not declared: {origin}" if origin else "")


def _texts(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    rows = []
    for name, value in facts.items():
        if isinstance(value, Mapping):
            value = ", ".join(f"{key} x {count}" if name == "ops" else f"{key} {count}" for key, count in value.items())
        elif isinstance(value, list):
            value = " ".join(str(item["path"] if isinstance(item, Mapping) else item) for item in value)
        rows.append((name, str(value)))
    return rows


def _section(title: str, rows: Iterable[tuple[str, str]]) -> None:
    click.echo(f"\n{title}")
    for name, text in rows:
        click.echo(f"  {name:<16} {text}".rstrip())
