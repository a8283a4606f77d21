"""The choice among small precisions: of each format, the smallest artifact that keeps its budgets and its promises."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kexport.bundle import manifest, store
from kexport.bundle.budgets import Budgets
from kexport.bundle.manifest import Artifact
from kexport.bundle.precision import KEPT
from kexport.bundle.report import Check, CheckKind, Report, Subject
from kexport.errors import ExportError


@dataclass(frozen=True)
class _Candidate:
    """An artifact in a small precision, and what its checks found."""

    artifact: Artifact
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether it keeps its budgets and its promises, in every runtime."""
        return bool(self.checks) and all(check.passed for check in self.checks)

    @property
    def decibels(self) -> float:
        """The least ratio of signal to noise that was measured; minus infinity where none was."""
        figures = [check.figure for check in self.checks if check.kind is CheckKind.PARITY and check.figure is not None]
        return min(figures, default=float("-inf"))

    @property
    def missed(self) -> float:
        """How far it is from all that it should keep: the worst of its checks, in factors of two."""
        return max((_missed(check) for check in self.checks if not check.passed), default=0.0)

    def __str__(self) -> str:
        failed = [check for check in self.checks if not check.passed]
        what = dict.fromkeys(str(check.metrics.get("budget") or check.contract or check.kind) for check in failed)
        verdict = f", fails: {', '.join(what)}" if failed else ""
        kept = self.artifact.details.get(KEPT, ())
        mixed = f" but for {len(kept)} layers" if kept else ""
        return f"{self.artifact.precision}{mixed} {self.artifact.bytes:,} bytes, {self.decibels:.0f} dB{verdict}"


def _missed(check: Check) -> float:
    """How far a figure is beyond its limit: twice the size, 6 dB of noise, or one point, is one."""
    figure, limit = check.figure, check.limit
    if figure is None or limit is None:
        return math.inf
    if check.kind is CheckKind.PARITY:
        return (limit - figure) / 6.02
    if check.kind is CheckKind.BUDGET and check.unit in ("bytes", "s", "x float32"):
        return math.log2(figure / limit)
    return figure - limit if check.unit == "points" else figure / limit if limit else math.inf


def keep_smallest(folder: Path, report: Report, refusals: Mapping[str, ExportError], budgets: Budgets) -> Report:
    """Remove all other artifacts in small precisions, and what the report says of them; a note tells of each.

    A format keeps none where its artifact in float32 is smaller than every one that passed, and itself keeps the
    budgets. Where none passed, the nearest stays, and with it the failed checks.

    Args:
        folder: the folder of a bundle that holds all of them.
        report: of its checks.
        refusals: the errors of those that could not be written, by label, such as `"tflite int8"`.
        budgets: what each must keep.
    """
    stated = manifest.read(folder)
    candidates = [
        _Candidate(artifact, tuple(check for check in report.checks if check.artifact == artifact.path))
        for artifact in stated.artifacts
        if artifact.limits
    ]
    wide = {artifact.format: artifact.bytes for artifact in stated.artifacts if not artifact.limits}
    formats = dict.fromkeys(each.artifact.format for each in candidates)
    groups = {name: [each for each in candidates if each.artifact.format == name] for name in formats}
    kept = {name: _chosen(group, wide[name], budgets) for name, group in groups.items()}
    left_out = [each for each in candidates if each not in kept.values()]
    for each in left_out:
        for path, _ in each.artifact.files:
            store.remove(folder / path)
    paths = {each.artifact.path for each in left_out}
    artifacts = tuple(artifact for artifact in stated.artifacts if artifact.path not in paths)
    manifest.write(folder, replace(stated, artifacts=artifacts))
    checks = tuple(check for check in report.checks if check.artifact not in paths)
    notes = [_note(name, group, kept[name]) for name, group in groups.items()]
    notes += [
        f"{label} could not be written: {error.facts['got'] or error.subject}" for label, error in refusals.items()
    ]
    if not candidates:
        why = "; ".join(notes) or "none of the formats has one"
        checks = (
            Check.failure(CheckKind.EXPORT, Subject(None), f"no small precision could be written: {why}"),
            *checks,
        )
    # Of what was left out, the note on the choice tells.
    gone = tuple(f"{path}{end}" for path in paths for end in " :")
    others = (note for note in report.notes if not str(note).startswith(gone))
    return Report(report.bundle, checks, (*others, *notes))


def _chosen(group: Sequence[_Candidate], wide: int, budgets: Budgets) -> _Candidate | None:
    """The smallest that passed, unless float32 is smaller and will do; the nearest, then most exact, if none passed."""
    passed = [each for each in group if each.passed]
    if not passed:
        return min(group, key=lambda each: (each.missed, -each.decibels))
    smallest = min(passed, key=lambda each: each.artifact.bytes)
    return smallest if smallest.artifact.bytes < wide or not will_do(wide, budgets) else None


def will_do(wide: int, budgets: Budgets) -> bool:
    """Whether float32 keeps the budgets of size and latency; how long it takes is known as a share of itself alone."""
    size, latency = budgets.size, budgets.latency
    small = size is None or (size.value >= 1 if size.relative else wide <= size.value)
    return small and (latency is None or (latency.relative and latency.value >= 1))


def _note(name: str, group: Iterable[_Candidate], kept: _Candidate | None) -> str:
    tried = "; ".join(map(str, group))
    if kept is None:
        return f"{name}: float32 is the smallest: {tried}"
    what = "the smallest that passed" if kept.passed else "none passed, the nearest"
    mixed = f" but for {', '.join(kept.artifact.details[KEPT])}" if KEPT in kept.artifact.details else ""
    return f"{name}: {kept.artifact.precision}{mixed}, {what}, of: {tried}"
