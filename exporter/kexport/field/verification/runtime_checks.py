"""All checks of one runtime: in this process, or as the task of a worker process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kexport import runtimes
from kexport.bundle.abort_words import WAY_OUT_OF_ABORTS, abort_words
from kexport.bundle.folder import Bundle
from kexport.bundle.report import Check, CheckKind, Subject
from kexport.field.trust import NO_TRUST, Trust, TrustJson
from kexport.field.verification.artifact_checks import check_artifact
from kexport.field.verification.artifact_in_runtime import ArtifactInRuntime
from kexport.field.verification.contract_checks import effort_of
from kexport.field.workers import RestartingWorker
from kexport.parity.cost import turns_told
from kexport.parity.strictness import DERIVED, Strictness, StrictnessJson
from kexport.process import WorkerCrashError, WorkerLimitError
from kexport.runtimes import Runtime


@dataclass(frozen=True)
class RuntimeChecks:
    """The checks of a bundle's artifacts, for whichever runtime.

    Attributes:
        bundle: the bundle; its digests have been checked.
        trust: the user code that may run while an artifact is loaded.
        strictness: its limits, and how long to look for a violation of a contract.
    """

    bundle: Bundle
    trust: Trust = NO_TRUST
    strictness: Strictness = DERIVED

    def here(self, runtime: Runtime) -> Iterator[Check]:
        """Make the checks of a runtime in this process."""
        manifest = self.bundle.manifest
        limits = self.strictness.limits(manifest.limits)
        for artifact in self.bundle.artifacts_of(runtime.reads):
            turns = turns_told(artifact.bytes, manifest.signature) if self.strictness.repeatable else None
            effort = effort_of(self.strictness.search, len(manifest.contracts), turns)
            tested = ArtifactInRuntime.of(self.bundle, artifact, runtime, limits, self.trust)
            yield from check_artifact(tested, effort)

    def in_worker(self, runtime: Runtime, restarting_worker: RestartingWorker) -> Iterator[Check]:
        """Make the checks of a runtime in a worker process; its crash is a failed check, and the last one."""
        worker = restarting_worker.worker
        try:
            worker.submit(
                f"{__name__}:{serve.__name__}",
                path=str(self.bundle.path),
                runtime=runtime.name,
                trust=self.trust.to_json(),
                strictness=self.strictness.to_json(),
            )
            for check in worker.results():
                yield Check.from_json(check)
        except WorkerLimitError as limit:
            yield Check.not_run(CheckKind.RUNTIME, Subject(runtime=runtime.name), str(limit))
        except WorkerCrashError as crash:
            yield self._crashed(runtime, crash)

    def _crashed(self, runtime: Runtime, crash: WorkerCrashError) -> Check:
        """The failed check, with the operators that are known to end such processes."""
        artifacts = [each for each in self.bundle.artifacts_of(runtime.reads) if each.may_abort]
        if not artifacts or not runtime.repeatable_integers:  # only reference kernels do
            return Check.failure(CheckKind.RUNTIME, Subject(runtime=runtime.name), str(crash))
        facts = [f"{each.path}: {why}" for each in artifacts for why in abort_words(each)]
        path = artifacts[0].path if len(artifacts) == 1 else None
        return Check.failure(CheckKind.RUNTIME, Subject(path, runtime.name), str(crash), *facts, WAY_OUT_OF_ABORTS)


def serve(path: str, runtime: str, trust: TrustJson, strictness: StrictnessJson) -> Iterator[Mapping[str, object]]:
    """Make the checks of a runtime in the process that calls this, and yield each one as JSON.

    Args:
        path: the bundle's folder.
        runtime: the name of the runtime.
        trust: `RuntimeChecks.trust`.
        strictness: `RuntimeChecks.strictness`.
    """
    trusted = Trust.from_json(trust)
    checks = RuntimeChecks(Bundle.open(path, trusted.max_bytes), trusted, Strictness.from_json(strictness))
    for check in checks.here(runtimes.get(runtime)):
        yield check.to_json()
