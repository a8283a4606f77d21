"""Replaying the witnesses of a bundle: inputs on which earlier searches found it wrong, or nearly so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from kexport.bundle import witnesses
from kexport.bundle.report import Check, CheckKind
from kexport.bundle.signature import Array
from kexport.bundle.witnesses import Witness
from kexport.errors import BundleError, reason
from kexport.field.verification.artifact_in_runtime import ArtifactInRuntime
from kexport.parity.outputs import OutputsComparison
from kexport.runtimes import Session


def check_witnesses(tested: ArtifactInRuntime, session: Session) -> Iterator[Check]:
    """Replay every witness; one that needs earlier calls gets its own session."""
    bundle = tested.bundle
    digests = {artifact.sha256 for artifact in bundle.manifest.artifacts}
    try:
        paths = witnesses.paths(bundle.path)
    except BundleError as error:
        yield Check.not_run(CheckKind.WITNESS, tested.subject, str(error))
        return
    for path in paths:
        try:
            witness = witnesses.read(bundle.path / path, bundle.signature, bundle.max_bytes)
        except BundleError as error:
            yield Check.failure(CheckKind.WITNESS, tested.subject, str(error))
            continue
        if witness.reference == tested.runtime.name:
            continue  # the expected outputs came from this runtime
        if witness.digest and witness.digest not in digests:
            why = f"{path}: its reference is {witness.reference}, on an artifact that is no longer in the bundle"
            yield Check.not_run(CheckKind.WITNESS, tested.subject, why, "delete the file, and search again")
            continue
        yield from _replay(tested, session, path, witness)


def _replay(tested: ArtifactInRuntime, session: Session, path: str, witness: Witness) -> Iterator[Check]:
    """Compare every output on one witness."""
    label = f"{path} ({witness.golden.label})"
    try:
        outputs = _outputs(tested.open() if witness.before else session, witness)
    except Exception as error:  # noqa: BLE001  a runtime may raise anything; here it becomes a failed check
        yield Check.failure(CheckKind.WITNESS, tested.subject, f"{label}: {reason(error)}")
        return
    limits = [limit.widened_by(witness).of_one_case() for limit in tested.limits]
    comparison = OutputsComparison(tested.bundle.signature, limits, one_case=True)
    comparison.add_golden(replace(witness.golden, label=label), outputs)
    for output, outcome in comparison.outcomes().items():
        yield tested.check(CheckKind.WITNESS, output, outcome)


def _outputs(session: Session, witness: Witness) -> dict[str, Array]:
    for call in witness.before:
        session(dict(call))
    return session(dict(witness.golden.inputs))
