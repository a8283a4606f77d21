"""One artifact of a bundle in one runtime: the subject of its checks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from kexport.bundle.facts import CodedFact, FactCode
from kexport.bundle.folder import Bundle
from kexport.bundle.limits import OutputLimit
from kexport.bundle.manifest import Artifact
from kexport.bundle.precision import BUDGET
from kexport.bundle.report import Check, CheckKind, Subject
from kexport.field.trust import NO_TRUST, Trust
from kexport.parity.outcome import Outcome
from kexport.parity.tolerance import FLOOR_MULTIPLE, for_kernels
from kexport.runtimes import Runtime, Session


@dataclass(frozen=True)
class ArtifactInRuntime:
    """One artifact of a bundle in one runtime.

    Attributes:
        bundle: the bundle.
        artifact: one of its artifacts.
        runtime: one that reads it.
        limits: the limits of the outputs, in this runtime.
        trust: the user code that may run while it is loaded.
    """

    bundle: Bundle
    artifact: Artifact
    runtime: Runtime
    limits: tuple[OutputLimit, ...]
    trust: Trust = NO_TRUST

    @classmethod
    def of(
        cls,
        bundle: Bundle,
        artifact: Artifact,
        runtime: Runtime,
        limits: Iterable[OutputLimit],
        trust: Trust = NO_TRUST,
    ) -> ArtifactInRuntime:
        """The artifact in a runtime, whose kernels may widen the limits: those of the model, or the artifact's own."""
        widened = tuple(for_kernels(limit, runtime.accumulation_factor) for limit in artifact.limits or limits)
        return cls(bundle, artifact, runtime, widened, trust)

    def as_measured(self, parity: Iterable[Check]) -> ArtifactInRuntime:
        """The artifact with limits as tight as its error on the goldens lets them be, which promises may miss by.

        A ratio of signal to noise bounds an average: the peak that it allows would hide a broken promise.
        """
        errors = {check.output: check.metrics.get("error") for check in parity}
        limits = [
            replace(limit, limit=max(limit.limit, FLOOR_MULTIPLE * error), decibels=None)
            if limit.source == BUDGET and isinstance(error := errors.get(limit.output), int | float)
            else limit
            for limit in self.limits
        ]
        return replace(self, limits=tuple(limits))

    @property
    def subject(self) -> Subject:
        """The subject of checks about the artifact as a whole."""
        return Subject(self.artifact.path, self.runtime.name)

    def open(self) -> Session:
        """Load the artifact anew; its digest was checked before."""
        trust = self.trust.expecting(self.bundle.manifest.code)
        return trust.open(self.runtime, self.bundle.path / self.artifact.path, self.bundle.signature)

    def code_facts(self) -> tuple[CodedFact, ...]:
        """Where the code that the artifact was loaded with is not what the bundle was built with."""
        if not self.runtime.runs_user_code:
            return ()
        differences = self.trust.expecting(self.bundle.manifest.code).differences()
        return tuple(CodedFact(FactCode.OTHER_CODE, text) for text in differences)

    def check(self, kind: CheckKind, output: str, outcome: Outcome) -> Check:
        """The outcome of comparing one output, as a check."""
        subject = Subject(self.artifact.path, self.runtime.name, output)
        return Check(kind, outcome.passed, subject, outcome.measured, outcome.facts, outcome.ran, outcome.metrics)
