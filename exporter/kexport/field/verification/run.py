"""Verifying a bundle: digests first, then every runtime in a worker process, then the search.

The crash of a native runtime is a failed check with a name. Runtimes of one package share a process, because
importing the package is most of the work; the packages run in parallel.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from kexport import progress
from kexport import runtimes as known_runtimes
from kexport.bundle.facts import CodedFact, Fact, FactCode, Note, RuntimeNote
from kexport.bundle.limits import DECLARED
from kexport.bundle.report import Check, CheckKind, Observer, Report, Subject
from kexport.errors import MissingCodeError, UncheckedError
from kexport.field.integrity import Integrity, check_digests
from kexport.field.remote import ArtifactSource, RemoteSession, RuntimeFailedError
from kexport.field.verification import contract_checks
from kexport.field.verification.adequacy_check import check_adequacy
from kexport.field.verification.request import Verification
from kexport.field.verification.runtime_checks import RuntimeChecks
from kexport.field.workers import WorkerPool, unconfined
from kexport.parity.cost import evaluations_a_second
from kexport.parity.tolerance import declaration
from kexport.runtimes import Runtime
from kexport.scratch import temporary_folder


def verify_bundle(verification: Verification, observe: Observer = lambda check: None) -> Report:
    """Run the checks of a verification, as documented in `verify`."""
    verification.trust.require_imports()
    run = _Run(verification, observe)
    manifest, limits = verification.bundle.manifest, verification.limits
    chosen, notes = run.choose_runtimes()
    integrity = check_digests(verification.bundle)
    run.record(*integrity.checks)
    if manifest.adequacy is not None:
        run.record(check_adequacy(manifest.adequacy))
    tested = run.runnable(chosen, integrity)
    processes, bundle = verification.processes, verification.bundle
    calling = verification.strictness.search is not None or verification.evaluation is not None
    with contextlib.ExitStack() as stack:
        folders = [stack.enter_context(temporary_folder(in_memory=True))] if tested and calling else []
        confinement = verification.trust.confinement(bundle.artifact_bytes, bundle.goldens_bytes, *folders)
        pool = WorkerPool(processes.started, processes.in_process, confinement, processes.makers)
        workers = stack.enter_context(contextlib.closing(pool))
        run.check_runtimes(tested, workers)
        for folder in folders:
            run.evaluate(tested, workers, folder)
            run.search(tested, integrity, workers, folder)
    run.judge_budgets(tested)
    if tested and confinement is not None and confinement.cut_off:
        run.notes += unconfined()
    declarations = [declaration(limit) for limit in limits if limit.source == DECLARED]
    notes = [*manifest.notes, *contract_checks.notes(manifest.contracts), *notes, *declarations]
    code = [str(fact) for check in run.checks for fact in check.facts if _is_about_code(fact)]
    return Report(manifest.name, tuple(_in_order(run.checks)), (*notes, *run.notes, *dict.fromkeys(code)))


class _Run:
    """A verification in progress, and the checks so far."""

    def __init__(self, verification: Verification, observe: Observer) -> None:
        self.checks: list[Check] = []
        self.notes: list[Note] = []
        self._verification = verification
        self._observe = observe
        self._expected = 0  # about how many checks there are before the search

    def record(self, *checks: Check) -> None:
        """Record checks."""
        for check in checks:
            self.checks.append(check)
            self._observe(check)
            if self._expected:
                progress.advance(min(1.0, len(self.checks) / self._expected), f"{len(self.checks)} checks")

    def choose_runtimes(self) -> tuple[list[Runtime], list[Note]]:
        """The requested runtimes, or the installed ones; records notes on those that were left out."""
        if self._verification.runtimes is not None:
            return list(self._verification.runtimes), []
        readers = self._verification.readers()
        installed = [runtime for runtime in readers if runtime.installed]
        if not installed:
            formats = sorted({artifact.format for artifact in self._verification.bundle.manifest.artifacts})
            self._record_not_run(None, f"no runtime that reads {', '.join(formats)} is installed")
        read = {runtime.reads for runtime in readers}
        for artifact in self._verification.bundle.manifest.artifacts if readers else ():
            if artifact.format not in read:
                why = f"no runtime reads the format {artifact.format!r}"
                self.record(Check.not_run(CheckKind.RUNTIME, Subject(artifact.path), why))
        left_out = [RuntimeNote(each.name, "was left out: not installed") for each in readers if not each.installed]
        return installed, list(left_out)

    def runnable(self, chosen: Sequence[Runtime], integrity: Integrity) -> list[Runtime]:
        """The runtimes that can run here; the others become checks that were not run."""
        readers = self._verification.readers()
        runnable = []
        for runtime in chosen:
            if runtime not in readers:
                self._record_not_run(runtime.name, f"the bundle holds no {runtime.reads} artifact")
            elif not runtime.installed:
                self._record_not_run(runtime.name, f"not installed: {runtime.package.install_command}")
            elif not integrity.intact(runtime.reads):
                why = "not run: the digest of its artifact, or of the goldens, is wrong"
                self._record_not_run(runtime.name, why)
            else:
                runnable.append(runtime)
        return runnable

    def check_runtimes(self, tested: Sequence[Runtime], workers: WorkerPool) -> None:
        """Check every runtime: the worker processes in parallel, and meanwhile the runtimes of this process."""
        bundle = self._verification.bundle
        checks = RuntimeChecks(bundle, self._verification.trust, self._verification.strictness)
        of_each = 1 + len(bundle.signature.outputs) + len(bundle.manifest.contracts)
        self._expected = len(self.checks) + sum(len(bundle.artifacts_of(each.reads)) * of_each for each in tested)
        remote = [runtime for runtime in tested if workers.worker_for(runtime) is not None]
        groups: dict[str, list[Runtime]] = {}
        for runtime in remote:
            groups.setdefault(known_runtimes.group_of(runtime), []).append(runtime)

        def check_group(members: Sequence[Runtime]) -> None:
            for runtime in members:
                worker = workers.worker_for(runtime)
                assert worker is not None
                for check in checks.in_worker(runtime, worker):
                    self.record(contract_checks.kept(bundle, check))

        with ThreadPoolExecutor(max_workers=max(1, len(groups))) as threads:
            jobs = [threads.submit(check_group, members) for members in groups.values()]
            for runtime in tested:
                if runtime not in remote:
                    for check in checks.here(runtime):
                        self.record(contract_checks.kept(bundle, check))
            for job in jobs:
                job.result()

    def evaluate(self, tested: Sequence[Runtime], workers: WorkerPool, folder: Path) -> None:
        """Compute the metric of the truth and of every artifact in the tested runtimes, if one was requested."""
        if (evaluation := self._verification.evaluation) is None:
            return
        from kexport.field.evaluation import metric_checks  # most verifications have no metric

        truth = self._verification.truth
        sessions = self._sessions(self._opened(tested), workers, folder)
        self.record(*metric_checks(evaluation, sessions, None if truth is None else truth.outputs))

    def _opened(self, tested: Sequence[Runtime]) -> list[Runtime]:
        """Those in which a model could be loaded."""
        unopened = {check.runtime for check in self.checks if check.kind is CheckKind.RUNTIME and not check.ran}
        return [each for each in tested if each.name not in unopened]

    def search(
        self,
        tested: Sequence[Runtime],
        integrity: Integrity,
        workers: WorkerPool,
        folder: Path,
    ) -> None:
        """Search for the inputs on which the tested runtimes are worst, if a search was requested."""
        request, strictness = self._verification, self._verification.strictness
        if (budget := strictness.search) is None:
            return
        if strictness.repeatable:
            largest = max(artifact.bytes for artifact in request.bundle.manifest.artifacts)
            budget = budget.counted(evaluations_a_second(largest, request.bundle.signature))
        from kexport.field.search import BundleSearch, Participants  # most verifications do not search

        tested = self._opened(tested)
        peers = [each for each in request.readers() if each.installed and integrity.intact(each.reads)]
        others = [each for each in self._opened(peers) if each not in tested]
        partners = others if request.truth is None else []
        beside = self._with_their_code(self._sessions(partners, workers, folder))
        participants = Participants(self._sessions(tested, workers, folder), beside, request.truth)
        try:
            self._expected = 0  # the search says how far it is
            progress.step(f"searching for the worst inputs: {budget}")
            self.notes += BundleSearch(request.bundle, participants, request.limits, budget).run(self.record)
        except UncheckedError as error:
            self.record(Check.not_run(CheckKind.SEARCH, Subject(), str(error)))

    def judge_budgets(self, tested: Sequence[Runtime]) -> None:
        """Check the recorded budgets again, when nothing else of ours runs: some are of times."""
        bundle, every = self._verification.bundle, self._verification.budgets
        reads = {each.reads for each in self._verification.runtimes or self._verification.readers()}
        recorded = [each for each in bundle.manifest.artifacts if each.budgets and each.format in reads]
        if not recorded:
            if every:
                self.record(
                    Check.not_run(CheckKind.BUDGET, Subject(), "no artifact that is checked was built with a budget")
                )
            return
        from kexport.field.budgets import recorded_checks  # most bundles have none

        for judged in recorded_checks(bundle, recorded, self.checks, self._opened(tested), every=every):
            if isinstance(judged, Check):
                self.record(judged)
            else:
                self.notes.append(judged)

    def _with_their_code(self, sessions: Sequence[RemoteSession]) -> list[RemoteSession]:
        """The sessions whose code is here; notes those that a search does without, which nobody asked for."""
        usable = []
        golden = next(iter(self._verification.bundle.goldens(checked=True)), None)
        for session in sessions:
            try:
                if session.runtime.runs_user_code and golden is not None:
                    session.run([dict(golden.inputs)])
            except MissingCodeError as error:
                self.notes.append(RuntimeNote(session.runtime.name, f"was left out of the search: {error.subject}"))
                continue
            except RuntimeFailedError:
                pass  # the search says so
            usable.append(session)
        return usable

    def _sessions(self, runtimes: Sequence[Runtime], workers: WorkerPool, folder: Path) -> list[RemoteSession]:
        """A session of every artifact in each of the runtimes that reads it."""
        bundle, trust = self._verification.bundle, self._verification.trust
        failed = {(check.artifact, check.runtime) for check in self.checks if check.ran and not check.passed}
        return [
            RemoteSession(
                ArtifactSource(
                    bundle.path, artifact.path, runtime, bundle.signature, trust.expecting(bundle.manifest.code)
                ),
                workers.worker_for(runtime),
                folder,
                has_failed=(artifact.path, runtime.name) in failed,
            )
            for runtime in runtimes
            for artifact in bundle.artifacts_of(runtime.reads)
        ]

    def _record_not_run(self, runtime: str | None, why: str) -> None:
        self.record(Check.not_run(CheckKind.RUNTIME, Subject(runtime=runtime), why))


def _is_about_code(fact: Fact) -> bool:
    return isinstance(fact, CodedFact) and fact.code is FactCode.OTHER_CODE


def _in_order(checks: Sequence[Check]) -> list[Check]:
    """The checks in the order of the runtimes, however they were made."""
    ranks = {name: rank for rank, name in enumerate(known_runtimes.names())}
    return sorted(checks, key=lambda check: ranks.get(check.runtime or "", -1))
