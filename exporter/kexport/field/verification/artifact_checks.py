"""All checks of one artifact in one runtime, in this process."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from kexport.bundle.report import Check, CheckKind
from kexport.contracts import EFFORT, Effort
from kexport.errors import ImportFailedError, KexportError, MissingCodeError, UncheckedError, reason
from kexport.field.verification.artifact_in_runtime import ArtifactInRuntime
from kexport.field.verification.contract_checks import check_contracts
from kexport.field.verification.recorded_kernels import RecordedKernels
from kexport.field.verification.signature_check import check_signature
from kexport.field.verification.witness_checks import check_witnesses
from kexport.parity.outputs import OutputsComparison
from kexport.runtimes import Session


def check_artifact(tested: ArtifactInRuntime, effort: Effort = EFFORT) -> Iterator[Check]:
    """Open the artifact and make every check.

    Whatever the runtime raises becomes a failed check, and ends the checks. Where code is missing, nothing was checked.

    Args:
        tested: the artifact in its runtime.
        effort: how long to look for a violation of each contract.

    Raises:
        ImportFailedError: an import fails.
    """
    try:
        session = tested.open()
        signature = check_signature(tested, session.opened)
        yield replace(signature, facts=(*signature.facts, *tested.code_facts()))
        yield from check_witnesses(tested, session)
        parity = []
        for check in check_parity(tested, session):
            parity.append(check)
            yield check
        yield from check_contracts(tested.as_measured(parity), session, effort)
    except (MissingCodeError, UncheckedError) as error:
        facts = (error.subject, *filter(None, (error.facts["got"], error.facts["hint"])))
        yield Check.not_run(CheckKind.RUNTIME, tested.subject, *map(str, facts))
    except ImportFailedError:
        raise  # nothing was checked, by the fault of who asked
    except KexportError as error:
        yield Check.failure(CheckKind.RUNTIME, tested.subject, str(error))
    except Exception as error:  # noqa: BLE001  a runtime may raise anything; here it becomes a failed check
        yield Check.failure(CheckKind.RUNTIME, tested.subject, reason(error))


def check_parity(tested: ArtifactInRuntime, session: Session) -> Iterator[Check]:
    """Compare every output on all goldens, of which one is in memory at a time."""
    comparison = OutputsComparison(tested.bundle.signature, tested.limits)
    recorded = RecordedKernels.of(tested.bundle, tested.artifact, tested.runtime.name)
    for index, golden in enumerate(tested.bundle.goldens(checked=True)):
        values = session(dict(golden.inputs))
        comparison.add_golden(golden, values)
        if recorded is not None:
            recorded.add(index, golden.label, values)
    for output, outcome in comparison.outcomes().items():
        check = tested.check(CheckKind.PARITY, output, outcome)
        yield check if recorded is None else recorded.judged(check)
