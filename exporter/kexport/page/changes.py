"""Bundles side by side: what differs between an old and a new one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from kexport.bundle.folder import Bundle
from kexport.bundle.report import Check, CheckKind
from kexport.page.outlook import standing
from kexport.reports import figure_and_limit, short_contract, size

_MOST = 300  # rows


@dataclass(frozen=True)
class FigureChange:
    """One figure of several bundles.

    Attributes:
        group: what kind of figure it is.
        subject: of what.
        values: one per bundle; `-` where one has none.
        change: from the first to the last, in words; empty where that is no number.
        differs: whether two of them differ.
    """

    group: str
    subject: str
    values: tuple[str, ...]
    change: str
    differs: bool


@dataclass(frozen=True)
class _Value:
    text: str
    number: float | None = None


def changes(bundles: Sequence[Bundle]) -> list[FigureChange]:
    """All figures of the bundles, the first `_MOST` that differ first, each group in its order."""
    tables = [dict(_facts(bundle)) for bundle in bundles]
    keys = dict.fromkeys(key for table in tables for key in table)
    rows = [_change(key, [table.get(key) for table in tables]) for key in keys]
    return sorted(rows, key=lambda row: not row.differs)[:_MOST]


def _change(key: tuple[str, str], values: Sequence[_Value | None]) -> FigureChange:
    texts = tuple("-" if value is None else value.text for value in values)
    first, last = values[0], values[-1]
    words = ""
    if first is not None and last is not None and first.number is not None and last.number is not None:
        words = _difference(key[0], first.number, last.number)
    return FigureChange(*key, texts, words, len(set(texts)) > 1)


def _difference(group: str, old: float, new: float) -> str:
    if old == new:
        return ""
    if group == "promise" or old == 0:
        return f"{new - old:+.3g}"
    if group == "error":
        return f"{new / old:.2g} x"
    return f"{100 * (new - old) / old:+.1f} %"


def _facts(bundle: Bundle) -> Iterator[tuple[tuple[str, str], _Value]]:
    outlook = standing(bundle.report)
    yield ("verdict", "checks of the build"), _Value(f"{outlook.word}: {outlook.sentence}")
    for artifact in bundle.manifest.artifacts:
        yield ("size", artifact.path), _Value(size(artifact.bytes), float(artifact.bytes))
    yield from _measured(bundle.report.checks)
    for spec in bundle.signature.inputs:
        yield ("input", spec.name), _Value(f"{spec}; {bundle.manifest.domains[spec.name]}")
    for spec in bundle.signature.outputs:
        yield ("output", spec.name), _Value(str(spec))
    yield from _versions(bundle.manifest.provenance)
    for artifact in bundle.manifest.artifacts:
        yield ("digest", artifact.path), _Value(artifact.sha256[:16])


def _measured(checks: Sequence[Check]) -> Iterator[tuple[tuple[str, str], _Value]]:
    for check in checks:
        if check.figure is None or check.kind not in (CheckKind.PARITY, CheckKind.CONTRACT, CheckKind.METRIC):
            continue
        where = " ".join(part for part in (check.artifact, check.runtime, check.output) if part)
        group = {CheckKind.PARITY: "error", CheckKind.CONTRACT: "promise"}.get(check.kind, "metric")
        subject = f"{where}: {short_contract(check.contract)}" if check.contract else where
        unit = f" {check.unit}" if check.unit and group != "error" else ""
        failed = "" if check.passed else " FAIL"
        yield (group, subject or "truth"), _Value(f"{figure_and_limit(check)[0]}{unit}{failed}", check.figure)


def _versions(provenance: Mapping[str, object]) -> Iterator[tuple[tuple[str, str], _Value]]:
    for name, version in provenance.items():
        yield ("version", name), _Value(str(version))
