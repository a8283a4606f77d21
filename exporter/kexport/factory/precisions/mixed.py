"""Mixed precisions: where int8 misses its budget or breaks a promise, some layers are kept in float."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from kexport import runtimes
from kexport.bundle import manifest, store
from kexport.bundle.budgets import Budgets
from kexport.bundle.folder import Bundle
from kexport.bundle.manifest import Artifact
from kexport.bundle.precision import BUDGET, KEPT
from kexport.bundle.report import Check, CheckKind, Report
from kexport.bundle.signature import Array
from kexport.errors import ExportError, UncheckedError
from kexport.factory.formats import SmallTarget
from kexport.factory.precisions.choice import will_do
from kexport.factory.precisions.mixed_choice import MixedTrial, Setting, choose, grouped
from kexport.factory.precisions.small_artifacts import SmallArtifacts
from kexport.factory.written_artifact import artifact_entry
from kexport.field.remote import ArtifactSource, RemoteSession, RuntimeFailedError
from kexport.field.workers import WorkerPool
from kexport.parity.outputs import OutputsComparison
from kexport.scratch import temporary_folder

_BASE = "int8"
Verify = Callable[[], Report]
#: What fewer integers may mend.
_MENDED = (CheckKind.PARITY, CheckKind.CONTRACT, CheckKind.WITNESS, CheckKind.SEARCH)


def with_mixed(folder: Path, report: Report, small: SmallArtifacts, budgets: Budgets, verify: Verify) -> Report:
    """Add a mixed artifact of each format whose int8 does not pass, where one is smaller than all others that do.

    Args:
        folder: the folder of a bundle with all small precisions.
        report: of its checks.
        small: what wrote them.
        budgets: what each must keep.
        verify: makes all checks of what the folder's manifest lists.

    Returns:
        The report with the checks of what was added.
    """
    stated = manifest.read(folder)
    artifacts, checks, notes = list(stated.artifacts), list(report.checks), list(report.notes)
    for target, layers in small.integer_layers.items():
        plain = next((each for each in stated.artifacts if each.path == target.path), None)
        if target.precision != _BASE or plain is None or len(layers) < 2 or "external" in plain.details:
            continue
        if not _may_be_mended([check for check in report.checks if check.artifact == plain.path]):
            continue
        search = _Search(folder, small, target, layers, plain, verify)
        found = search.run(_bound(stated.artifacts, report, target, budgets))
        notes.append(search.told(found))
        if found is not None:
            artifacts.append(found)
            checks += search.checks
    manifest.write(folder, replace(stated, artifacts=tuple(artifacts)))
    return Report(report.bundle, tuple(checks), tuple(notes))


def _may_be_mended(checks: Sequence[Check]) -> bool:
    """Whether it runs, and fails by what fewer integers may mend."""
    failed = [check for check in checks if not check.passed]
    of_drop = [check for check in failed if check.kind is CheckKind.BUDGET and check.unit not in ("bytes", "s")]
    drops = [check for check in of_drop if check.unit != "x float32"]
    return bool(failed) and len([check for check in failed if check.kind in _MENDED]) + len(drops) == len(failed)


def _bound(artifacts: Sequence[Artifact], report: Report, target: SmallTarget, budgets: Budgets) -> int:
    """The bytes of the smallest artifact of the format that passes, from which on another one is of no use."""
    failed = {check.artifact for check in report.checks if not check.passed}
    ours = [artifact for artifact in artifacts if artifact.format == target.form.name]
    able = [each.bytes for each in ours if each.limits and each.path not in failed]
    able += [each.bytes for each in ours if not each.limits and will_do(each.bytes, budgets)]
    return min(able, default=1 << 62)


@dataclass
class _Search:
    """The search for a mixed artifact of one format.

    Attributes:
        folder: that of the bundle.
        small: writes small artifacts.
        target: the format, in int8.
        layers: those that may be kept, by name, in the order of the file.
        plain: the artifact in which none is.
        verify: makes all checks of what the manifest lists.
        checks: those of the artifact that was accepted last.
        builds: how many were built.
    """

    folder: Path
    small: SmallArtifacts
    target: SmallTarget
    layers: Sequence[str]
    plain: Artifact
    verify: Verify
    checks: list[Check] = field(default_factory=list)
    builds: int = 0

    def __post_init__(self) -> None:
        self._groups = grouped(self.layers)
        self._path = self.target.form.path_in(f"{_BASE}.mixed")
        self._entries: dict[frozenset[int], Artifact] = {}
        self._accepted: frozenset[int] | None = None

    def run(self, bound: int) -> Artifact | None:
        """The artifact that was chosen, which then lies in the folder; None if there is none below `bound` bytes."""
        bundle = Bundle.open(self.folder, 1 << 62)
        wide = next(each for each in bundle.manifest.artifacts if each.path == self.target.form.path)
        allowed = np.array([10 ** (-limit.decibels / 10) for limit in self.plain.limits if limit.decibels is not None])
        with contextlib.ExitStack() as stack:
            scratch = Path(stack.enter_context(temporary_folder()))
            pool = stack.enter_context(contextlib.closing(WorkerPool()))
            runtime = runtimes.best([self.target.form.name], self.target.label)
            source = ArtifactSource(scratch, self._path, runtime, bundle.signature)
            session = RemoteSession(source, pool.worker_for(runtime), scratch)
            bench = _Bench(self, bundle, session, scratch)
            shutil.copyfile(self.folder / self.plain.path, scratch / self._path)
            noise, passed = bench.measured()
            plain = MixedTrial(frozenset(), self.plain.bytes, noise, passed)
            setting = Setting(len(self._groups), wide.bytes, plain, allowed, bound)
            chosen = choose(setting, bench.build, lambda trial: self._accept(trial, bundle, wide, scratch))
            if chosen is None:
                store.remove(self.folder / self._path)
                return None
            return self._entries[chosen.kept]

    def names(self, kept: frozenset[int]) -> list[str]:
        """The layers of some groups, in the order of the file."""
        return [layer for index, group in enumerate(self._groups) if index in kept for layer in group]

    def told(self, found: Artifact | None) -> str:
        """What came of it, in words."""
        tried = f"{self.builds} mixed artifacts were built"
        if found is None:
            return f"{self.target.form.name}: no mixed precision is smaller than what passes otherwise; {tried}"
        kept = found.details[KEPT]
        return f"{found.path} keeps in float, of {len(self.layers)} layers: {', '.join(kept)}; {tried}"

    def keep(self, kept: frozenset[int], built: Path, details: dict[str, object], scratch: Path) -> Artifact:
        """The entry of a built artifact, of which the file is kept apart."""
        details = {**details, KEPT: self.names(kept)}
        entry = artifact_entry(self.target.form.name, _BASE, built.name, scratch, details)
        self._entries[kept] = replace(entry, limits=self.plain.limits)
        shutil.copyfile(built, scratch / self._copy(kept))
        return self._entries[kept]

    @staticmethod
    def _copy(kept: frozenset[int]) -> str:
        return f"kept-{sum(1 << group for group in kept)}"

    def _accept(self, trial: MixedTrial, bundle: Bundle, wide: Artifact, scratch: Path) -> bool:
        """Whether it passes all checks; its file and its checks are then those of the search."""
        shutil.copyfile(scratch / self._copy(trial.kept), self.folder / self._path)
        entry = self._entries[trial.kept]
        manifest.write(self.folder, replace(bundle.manifest, artifacts=(wide, entry)))
        found = [check for check in self.verify().checks if check.artifact == entry.path]
        passed = bool(found) and all(check.passed for check in found)
        if passed:
            self.checks, self._accepted = found, trial.kept
        elif self._accepted is not None:
            shutil.copyfile(scratch / self._copy(self._accepted), self.folder / self._path)
        return passed


@dataclass(frozen=True)
class _Bench:
    """Builds mixed artifacts, and measures their noise on the goldens, in the runtime that `kexport.load` takes.

    Attributes:
        search: the search that asks for them.
        bundle: the bundle.
        session: runs what lies at the path of the mixed artifact, in a scratch folder.
        scratch: that folder.
    """

    search: _Search
    bundle: Bundle
    session: RemoteSession
    scratch: Path

    def build(self, kept: frozenset[int]) -> MixedTrial | None:
        """Build and measure one; None where the converter, or the runtime, refuses it."""
        target = self.scratch / self.session.artifact
        self.search.builds += 1
        try:
            details = self.search.small.build_mixed(self.search.target, target, self.search.names(kept))
            entry = self.search.keep(kept, target, dict(details), self.scratch)
            noise, passed = self.measured()
        except (ExportError, RuntimeFailedError, UncheckedError):
            return None
        return MixedTrial(kept, entry.bytes, noise, passed)

    def measured(self) -> tuple[Array, bool]:
        """The noise of each output that has a limit in decibels, relative to its signal; and whether all are right."""
        limits = self.search.plain.limits
        comparison = OutputsComparison(self.bundle.signature, limits)
        for golden in self.bundle.goldens(checked=True):
            (values,) = self.session.run([dict(golden.inputs)], fresh=True)
            comparison.add_golden(golden, values)
        outcomes = comparison.outcomes()
        ratios = [outcomes[limit.output].sqnr_db for limit in limits if limit.source == BUDGET]
        noise = np.array([0.0 if ratio is None else 10 ** (-ratio / 10) for ratio in ratios])
        return noise, all(outcome.passed for outcome in outcomes.values())
