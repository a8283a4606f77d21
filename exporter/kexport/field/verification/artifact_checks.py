"""The checks of one artifact in one runtime, in this process: signature, then parity of every output."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from kexport.bundle import witnesses
from kexport.bundle.folder import Bundle
from kexport.bundle.limits import OutputLimit
from kexport.bundle.manifest import Artifact
from kexport.bundle.report import Check, CheckKind, Subject
from kexport.bundle.signature import Signature, TensorSpec
from kexport.contracts import EFFORT, Effort
from kexport.errors import BundleError, KexportError, reason
from kexport.field.trust import NO_TRUST, Trust
from kexport.field.verification.contract_checks import check_contracts
from kexport.parity.outcome import Outcome
from kexport.parity.outputs import OutputsComparison
from kexport.parity.tolerance import for_kernels
from kexport.runtimes import Opened, Runtime, Session


def check_artifact(
    bundle: Bundle,
    artifact: Artifact,
    runtime: Runtime,
    limits: Sequence[OutputLimit],
    trust: Trust = NO_TRUST,
    effort: Effort = EFFORT,
) -> Iterator[Check]:
    """Open the artifact and make every check; whatever the runtime raises is a failed check, and the last one."""

    def opened() -> Session:
        return trust.open(runtime, bundle.path / artifact.path, bundle.signature)

    try:
        session = opened()
        yield _check_signature(bundle.signature, session.opened, artifact, runtime)
        own = [for_kernels(limit, runtime.accumulation_factor) for limit in limits]
        yield from _check_witnesses(bundle, session, opened, artifact, runtime, own)
        yield from check_parity(bundle, session, artifact, runtime, own)
        yield from check_contracts(bundle, session, artifact, runtime, own, trust, effort)
    except KexportError as error:
        yield Check.failure(CheckKind.RUNTIME, Subject(artifact.path, runtime.name), str(error))
    except Exception as error:  # noqa: BLE001  a runtime may raise anything; here it becomes a failed check
        yield Check.failure(CheckKind.RUNTIME, Subject(artifact.path, runtime.name), reason(error))


def _check_signature(signature: Signature, opened: Opened, artifact: Artifact, runtime: Runtime) -> Check:
    """Names, order, dtypes and shapes of inputs, names and order of outputs, as the artifact declares them."""
    problems = []
    declared: Sequence[TensorSpec] = opened.inputs
    pinned = artifact.details.get("pinned")
    if pinned:
        declared = [_unpinned(spec, pinned["batch"]) for spec in declared]
    outputs = list(opened.outputs)
    wanted = [spec.name for spec in signature.outputs]
    if not opened.ordered:
        order = {spec.name: index for index, spec in enumerate(signature.inputs)}
        declared = sorted(declared, key=lambda spec: order.get(spec.name, len(order)))
        outputs, wanted = sorted(outputs), sorted(wanted)
    for got, want in _pairs(declared, signature.inputs):
        if got is None or want is None or (got != want and got != _held(want)):
            problems.append(f"input {_text(got)} instead of {_text(want)}")
    if outputs != wanted:
        problems.append(f"outputs {', '.join(outputs)} instead of {', '.join(wanted)}")
    return Check(CheckKind.SIGNATURE, not problems, Subject(artifact.path, runtime.name), facts=tuple(problems))


def _unpinned(spec: TensorSpec, batch: int) -> TensorSpec:
    """What an input whose batch the manifest calls pinned stands for: any batch."""
    return replace(spec, shape=(None, *spec.shape[1:])) if spec.shape[:1] == (batch,) else spec


def _held(spec: TensorSpec) -> TensorSpec:
    """As an artifact declares what it holds in another dtype, of which NumPy knows: bfloat16 as float32."""
    return replace(spec, dtype=spec.numpy_dtype.name) if spec.dtype == "bfloat16" else spec


def _pairs(
    got: Sequence[TensorSpec], want: Sequence[TensorSpec]
) -> Iterator[tuple[TensorSpec | None, TensorSpec | None]]:
    for index in range(max(len(got), len(want))):
        yield got[index] if index < len(got) else None, want[index] if index < len(want) else None


def _text(spec: TensorSpec | None) -> str:
    return "nothing" if spec is None else f"{spec.name} {spec}"


def _check_witnesses(
    bundle: Bundle,
    session: Session,
    opened: Callable[[], Session],
    artifact: Artifact,
    runtime: Runtime,
    limits: Sequence[OutputLimit],
) -> Iterator[Check]:
    """Replay what searches found; a witness that needs calls before it gets a session of its own."""
    subject = Subject(artifact.path, runtime.name)
    digests = {each.sha256 for each in bundle.manifest.artifacts}
    for path in witnesses.paths(bundle.path):
        try:
            witness = witnesses.read(bundle.path / path, bundle.signature)
        except BundleError as error:
            yield Check.failure(CheckKind.WITNESS, subject, str(error))
            continue
        if witness.reference == runtime.name:
            continue  # the truth of this one is what the runtime itself gave
        if witness.digest and witness.digest not in digests:
            why = f"{path}: its truth is what {witness.reference} gave for an artifact that is no longer in the bundle"
            hint = "delete the file, and search again"
            yield Check.not_run(CheckKind.WITNESS, subject, why, hint)
            continue
        golden = witness.golden
        try:
            own = opened() if witness.before else session
            for call in witness.before:
                own(dict(call))
            result = own(dict(golden.inputs))
        except Exception as error:  # noqa: BLE001  a runtime may raise anything; here it becomes a failed check
            why = f"{path} ({golden.label}): {reason(error)}"
            yield Check.failure(CheckKind.WITNESS, subject, why)
            continue
        comparison = OutputsComparison(bundle.signature, [limit.widened_by(witness) for limit in limits])
        comparison.add_golden(replace(golden, label=f"{path} ({golden.label})"), result)
        for name, outcome in comparison.outcomes().items():
            yield check_of(CheckKind.WITNESS, outcome, artifact, runtime, name)


def check_parity(
    bundle: Bundle, session: Session, artifact: Artifact, runtime: Runtime, limits: Sequence[OutputLimit]
) -> Iterator[Check]:
    """Run every golden, one in memory at a time."""
    comparison = OutputsComparison(bundle.signature, limits)
    for golden in bundle.goldens(checked=True):
        comparison.add_golden(golden, session(dict(golden.inputs)))
    for name, outcome in comparison.outcomes().items():
        yield check_of(CheckKind.PARITY, outcome, artifact, runtime, name)


def check_of(kind: CheckKind, outcome: Outcome, artifact: Artifact, runtime: Runtime, output: str) -> Check:
    """The outcome of a comparison as a check."""
    subject = Subject(artifact.path, runtime.name, output)
    return Check(kind, outcome.passed, subject, outcome.measured, outcome.facts, outcome.ran, outcome.metrics)
