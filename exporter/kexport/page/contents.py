"""What a bundle holds: its files with their sizes, its interface, and what built it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from kexport.bundle.artifact_entry import Artifact
from kexport.bundle.domain import brief
from kexport.bundle.folder import Bundle
from kexport.bundle.precision import FLOAT32
from kexport.bundle.report import Check, CheckKind, Report
from kexport.metrics import figure_words
from kexport.page.svg import at, element
from kexport.reports import size


@dataclass(frozen=True)
class FileRow:
    """An artifact.

    Attributes:
        artifact: its entry in the manifest.
        bar: its size as a bar.
        share: its size against float32 in the same format; empty where it is that.
        ratio: the least ratio of signal to error.
        metric: its metric; empty where there is none.
        about: what else is in it.
    """

    artifact: Artifact
    bar: Markup
    share: str
    ratio: str
    metric: str
    about: str

    @property
    def size(self) -> str:
        """Its size as people read it."""
        return size(self.artifact.bytes)


@dataclass(frozen=True)
class InterfaceRow:
    """An input or output."""

    role: str
    name: str
    type: str
    domain: str


def file_rows(bundle: Bundle, report: Report) -> list[FileRow]:
    """The artifacts of a bundle, those of one format together."""
    artifacts = bundle.manifest.artifacts
    largest = max((artifact.bytes for artifact in artifacts), default=1) or 1
    whole = {each.format: each.bytes for each in artifacts if each.precision == FLOAT32}
    return [_row(artifact, largest, whole, report) for artifact in artifacts]


def _row(artifact: Artifact, largest: int, whole: Mapping[str, int], report: Report) -> FileRow:
    checks = [check for check in report.checks if check.artifact == artifact.path]
    fill = element("rect", x=0, y=2, width=at(artifact.bytes / largest), height=8, class_="bar")
    bar = element("svg", fill, class_="chart", width="100%", height=12, aria_hidden="true")
    of = whole.get(artifact.format)
    share = f"{100 * artifact.bytes / of:.0f} %" if of and artifact.precision != FLOAT32 else ""
    return FileRow(artifact, bar, share, _ratio(checks), _metric(checks), _about(artifact))


def _ratio(checks: list[Check]) -> str:
    """The least ratio of signal to error over outputs and runtimes."""
    found = [float(ratio) for check in checks if isinstance(ratio := check.metrics.get("sqnr_db"), int | float)]
    return f"{min(found):.0f} dB" if found else "-"


def _metric(checks: list[Check]) -> str:
    """The metric of the first runtime that computed it."""
    for check in checks:
        if check.kind is CheckKind.METRIC and check.figure is not None:
            return figure_words(check.figure, check.unit)
    return ""


def _about(artifact: Artifact) -> str:
    details, parts = artifact.details, []
    operators = details.get("ops")
    if isinstance(operators, Mapping):
        parts.append(f"{sum(int(count) for count in operators.values() if isinstance(count, int))} operators")
    if artifact.float_operators:
        parts.append(f"{len(artifact.float_operators)} of them in float")
    opset = details.get("opset")
    if isinstance(opset, Mapping):
        parts.append("opset " + ", ".join(str(version) for version in opset.values()))
    if artifact.quantization:
        parts.append("takes or returns integers")
    if "pinned" in details:
        parts.append("one sample at a time")
    return ", ".join(parts)


def tensor_rows(bundle: Bundle) -> list[InterfaceRow]:
    """Inputs with their domains, then outputs."""
    rows = []
    for role, specs in (("input", bundle.signature.inputs), ("output", bundle.signature.outputs)):
        for spec in specs:
            shape = " x ".join("any" if axis is None else str(axis) for axis in spec.shape) or "a number"
            domain = brief(bundle.manifest.domains[spec.name]) if role == "input" else ""
            rows.append(InterfaceRow(role, spec.name, f"{spec.dtype}, {shape}", domain))
    return rows


def provenance(bundle: Bundle) -> list[tuple[str, str]]:
    """Versions, limits and digests."""
    manifest = bundle.manifest
    rows = [(name, str(version)) for name, version in manifest.provenance.items()]
    for limit in manifest.limits:
        told = f"{limit.decibels:g} dB" if limit.decibels is not None else f"{limit.limit:.1e} of its scale"
        reason = f": {limit.reason}" if limit.reason else ""
        rows.append((f"limit of {limit.output}", f"{told}, from {limit.source}{reason}"))
    rows.append(("goldens", f"{len(manifest.cases)} cases"))
    rows += [(f"refused {name}", why) for name, why in manifest.refused.items()]
    rows += [(f"sha256 of {artifact.path}", artifact.sha256) for artifact in manifest.artifacts]
    return rows
