"""`kexport inspect`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kexport.bundle.code_entry import CodeKind
from kexport.cli import _completion
from kexport.cli._command import ToolCommand
from kexport.cli._options import JSON, trusting
from kexport.cli._streams import styled
from kexport.cli._targets import require_outside
from kexport.errors import UncheckedError, UsageError

if TYPE_CHECKING:
    from kexport.bundle.code_entry import CodeEntry
    from kexport.bundle.contract_entries import ContractEntry, NotCarried
    from kexport.bundle.folder import Bundle
    from kexport.bundle.manifest import Artifact, Manifest
    from kexport.field.inspection import ArtifactFacts
    from kexport.field.trust import Trust


@click.command(
    "inspect",
    cls=ToolCommand,
    begins=lambda given: f"reading {given['path']}",
    stays=False,
    examples=(
        "kexport inspect artifacts/lowpass",
        "kexport inspect model.onnx",
        "kexport inspect artifacts/lowpass --sbom lowpass.cdx.json",
    ),
)
@click.argument("path", metavar="BUNDLE|FILE", shell_complete=_completion.path)
@click.option("--sbom", metavar="FILE", help="Write a bundle's bill of materials, CycloneDX 1.6 in JSON, and no more.")
@JSON
@trusting
def command(path: str, sbom: str | None, as_json: bool, trust: Trust) -> int:
    """Show the contents of a bundle or a single artifact: signature, promises, sizes, versions, parity.

    Of a folder of bundles, as a build of several signatures writes it, all are shown.
    """
    from kexport.bundle.folder import is_bundle
    from kexport.bundle.manifest import bundles_in
    from kexport.cli._progress import working
    from kexport.reports import finite

    if sbom is not None:
        require_outside("--sbom", sbom, {"path": path})
        _write_sbom(path, sbom, trust.max_bytes)
    elif is_bundle(Path(path)) or bundles_in(Path(path)):
        _show_bundles(path, as_json, trust)
    else:
        from kexport.field.inspection import describe

        with working(f"reading {path}", stays=False):
            trust.require_imports()
            facts = describe(Path(path), trust)
        if as_json:
            click.echo(json.dumps(finite({"path": path, **_file_json(facts)}), indent=2, allow_nan=False, default=str))
        else:
            _show_file(path, facts)
    return 0


def _show_bundles(path: str, as_json: bool, trust: Trust) -> None:
    """Show a bundle, or all in a folder of bundles."""
    from kexport.bundle.folder import Bundle, each_bundle
    from kexport.cli._progress import working
    from kexport.reports import finite

    with working(f"reading {path}", stays=False):
        bundles = {folder: Bundle.open(folder, trust.max_bytes) for folder in each_bundle(path)}
    several = Path(path) not in bundles
    if as_json:
        contents = {folder.name: _bundle_json(bundle) for folder, bundle in bundles.items()}
        whole = {"bundles": contents} if several else next(iter(contents.values()))
        click.echo(json.dumps(finite(whole), indent=2, allow_nan=False))
        return
    for number, (folder, bundle) in enumerate(bundles.items()):
        if several:
            click.echo("\n" * (number > 0) + f"== {folder}")
        _show_bundle(bundle)


def _bundle_json(bundle: Bundle) -> dict[str, object]:
    return {"passed": bundle.passed, "manifest": bundle.manifest.to_json(), "report": bundle.report.to_json()}


def _write_sbom(path: str, target: str, max_bytes: int) -> None:
    from kexport.bundle import sbom
    from kexport.bundle.folder import Bundle

    text = sbom.render(Bundle.open(path, max_bytes))
    try:
        Path(target).write_text(text, encoding="utf-8", newline="\n")
    except (OSError, ValueError) as error:
        raise UsageError(f"{target} cannot be written", got=getattr(error, "strerror", None) or error) from None


def _show_bundle(bundle: Bundle) -> None:
    from kexport.bundle.budget_entry import BUDGETS
    from kexport.reports import adequacy_lines, size, terminal

    manifest = bundle.manifest
    click.echo(f"{manifest.name}: {'every check of the build passed' if bundle.passed else 'REJECTED at build time'}")
    _section("inputs", ((s.name, f"{s}" + _domain(manifest, s.name)) for s in manifest.signature.inputs))
    _section("outputs", ((s.name, str(s)) for s in manifest.signature.outputs))
    if manifest.contracts:
        _section("promises", map(_promise, manifest.contracts))
    if manifest.not_carried:
        _section("promises of layers that do not carry over to the model", map(_not_carried, manifest.not_carried))
    if manifest.code:
        _section("code that it needs", map(_code, manifest.code))
    if manifest.adequacy:
        _section("goldens", adequacy_lines(manifest.adequacy))
    for artifact in manifest.artifacts:
        facts = {
            "format": artifact.format,
            "precision": artifact.precision,
            "size": size(artifact.bytes),
            "sha256": artifact.sha256,
            **artifact.details,
            **_integers(artifact),
            **({BUDGETS: "; ".join(map(str, artifact.budgets))} if artifact.budgets else {}),
        }
        _section(artifact.path, _texts(facts))
    _section("built with", _texts(manifest.provenance))
    click.echo(f"\nparity at build time, over {len(manifest.cases)} goldens")
    terminal.show(bundle.report, bundle, styled(sys.stdout))


def _file_json(facts: ArtifactFacts) -> dict[str, object]:
    declaration = facts.declaration
    functions = [
        {
            "signature": each.signature.name,
            "inputs": {spec.name: str(spec) for spec in each.signature.inputs},
            "outputs": {spec.name: str(spec) if each.stated else None for spec in each.signature.outputs},
        }
        for each in declaration.functions
    ]
    known = {"format": facts.format, "sha256": facts.sha256, "bytes": facts.bytes}
    return {**known, "details": dict(declaration.details), "functions": functions, "lacking": declaration.lacking}


def _show_file(path: str, facts: ArtifactFacts) -> None:
    from kexport.reports import size

    declaration = facts.declaration
    click.echo(path)
    _section(
        "artifact",
        _texts({"format": facts.format, "sha256": facts.sha256, **declaration.details, "size": size(facts.bytes)}),
    )
    for function in declaration.functions:
        signature = function.signature
        of = f" of {signature.name}" if len(declaration.functions) > 1 else ""
        known = {name: f", {text}" for name, text in function.remarks.items()}
        _section(f"inputs{of}", ((s.name, f"{s}{known.get(s.name, '')}") for s in signature.inputs))
        outputs = {s.name: f"{s}{known.get(s.name, '')}" if function.stated else "" for s in signature.outputs}
        _section(f"outputs{of}", {**outputs, **function.foreign}.items())
    if declaration.lacking:
        raise UncheckedError(
            f"inputs and outputs of {path} are not known",
            got=f"no runtime that is installed has the operator {declaration.lacking}",
        )


def _promise(entry: ContractEntry) -> tuple[str, str]:
    """The promise, in words where the kind of contract is registered here."""
    from kexport.contracts import kinds
    from kexport.errors import UsageError

    try:
        words = kinds.contract_of(entry).words()
    except UsageError:
        words = f"promises {entry.kind} {dict(entry.params)}, a kind that is not registered here"
    by = f" (layer {entry.layer})" if entry.layer else " (stated at build time)"
    if not entry.outputs:
        return f"layer {entry.layer}", f"{words}, by its weights"
    from_inputs = f", from {', '.join(entry.inputs)}" if entry.inputs else ""
    return ", ".join(entry.outputs), words + from_inputs + by


def _code(entry: CodeEntry) -> tuple[str, str]:
    if entry.kind is CodeKind.LAMBDA:
        return entry.name, "lambda, whose bytecode is in the .keras file: --allow-lambda"
    where = f" in {entry.place}" if entry.place and not entry.obstacle else f" that {entry.obstacle}"
    digest = f", sha256 {entry.sha256[:12]}" if entry.sha256 else ""
    return entry.name, f"{entry.kind}{where}{digest}"


def _not_carried(each: NotCarried) -> tuple[str, str]:
    return each.layer, f"{each.kind}: ends at {each.ended_by}: {each.why}"


def _domain(manifest: Manifest, name: str) -> str:
    from kexport.bundle.domain import brief

    text, origin = manifest.domains.get(name), manifest.undeclared.get(name)
    return (f" in {brief(text)}" if text else "") + (f", not declared: {origin}" if origin else "")


def _integers(artifact: Artifact) -> dict[str, str]:
    """What an artifact of integers takes and returns, and what it computes in float all the same."""
    from kexport.bundle.precision import FLOAT_OPERATORS, FLOAT_WEIGHTS

    texts = {}
    if artifact.quantization:
        texts["quantization"] = ", ".join(f"{name} = {each}" for name, each in artifact.quantization.items())
    if artifact.float_operators is not None:
        texts[FLOAT_OPERATORS] = ", ".join(f"{op} of {layer}" for op, layer in artifact.float_operators) or "none"
    if artifact.float_weights is not None:
        kept = (f"{op} of {layer} ({numbers:,} numbers)" for op, layer, numbers in artifact.float_weights)
        texts[FLOAT_WEIGHTS] = ", ".join(kept) or "none"
    return texts


def _texts(facts: Mapping[str, object]) -> list[tuple[str, str]]:
    return [(name, _text(name, value)) for name, value in facts.items()]


def _text(name: str, value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} x {count}" if name == "ops" else f"{key} {count}" for key, count in value.items())
    if isinstance(value, list):
        return " ".join(str(item.get("path", item) if isinstance(item, Mapping) else item) for item in value)
    return str(value)


def _section(title: str, rows: Iterable[tuple[str, str]]) -> None:
    from kexport.screen_text import listing, screen_width

    lines = listing([*rows], screen_width(sys.stdout))
    if lines:
        click.echo("\n".join(["", title, *lines]))


COMMAND = command
