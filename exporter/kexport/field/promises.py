"""The contracts of a bundle, checked in one runtime."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from kexport.bundle import breaches
from kexport.bundle.folder import Bundle
from kexport.bundle.manifest import Artifact, OutputLimit
from kexport.bundle.promised import Promised
from kexport.bundle.report import Check
from kexport.contracts import _kinds
from kexport.contracts._contract import EFFORT, Contract, Effort, Verdict, WeightContract
from kexport.contracts._function import Function
from kexport.contracts._slack import Slack
from kexport.errors import KexportError, UsageError, reason
from kexport.field.spaces import space_of
from kexport.imports import run_imports
from kexport.parity.budget import Budget
from kexport.parity.space import Population
from kexport.runtimes._runtime import Runtime, Session

KIND = "contract"


def effort_of(budget: Budget | None, promises: int) -> Effort:
    """How long each of so many contracts is hunted for: a search that was asked for is shared among them."""
    if budget is None:
        return EFFORT
    seconds = EFFORT.seconds if budget.seconds is None else max(EFFORT.seconds, budget.seconds / max(1, promises))
    samples = max(EFFORT.samples, budget.evaluations or int(EFFORT.samples * seconds / EFFORT.seconds))
    return Effort(samples, seconds, budget.seed)


def check_contracts(
    bundle: Bundle,
    session: Session,
    artifact: Artifact,
    runtime: Runtime,
    limits: Sequence[OutputLimit],
    imports: Sequence[str],
    effort: Effort = EFFORT,
) -> Iterator[Check]:
    """Check every promise about the function; those about weights were checked when the bundle was built.

    Args:
        bundle: whose model it is.
        session: the artifact, loaded.
        artifact: of the bundle.
        runtime: that runs it.
        limits: of the outputs in this runtime.
        imports: files or modules that register kinds of contract, run when the bundle has one that is not known.
        effort: how long to hunt for a violation of each.
    """
    promises = bundle.manifest.contracts
    if not promises:
        return
    space = space_of(bundle)
    slack = Slack({limit.output: limit for limit in limits}, bundle.manifest.ulp)
    for promised in promises:
        if not promised.outputs:
            continue  # about weights
        output = promised.outputs[0]
        if bundle.manifest.stateful:
            why = "the model keeps state between calls: what it gives is no function of its inputs"
            yield Check(KIND, False, artifact.path, runtime.name, output, detail=why, ran=False, contract=promised.kind)
            continue
        try:
            contract = known(promised, imports)
        except UsageError as error:
            hint = "name the file or module that registers it with --import"
            detail = f"{error.subject}; {hint}"
            yield Check(
                KIND, False, artifact.path, runtime.name, output, detail=detail, ran=False, contract=promised.kind
            )
            continue
        if isinstance(contract, WeightContract):
            continue
        about = _kinds.text(contract)
        try:
            tried = Effort(effort.samples, effort.seconds, effort.seed, list(_broke_before(bundle, promised)))
            function = Function(session, space, promised.inputs, promised.outputs)
            verdict = contract.check(function, space, slack, tried)
        except KexportError as error:
            yield Check(KIND, False, artifact.path, runtime.name, output, detail=str(error), contract=about)
        except Exception as error:  # noqa: BLE001  a runtime may raise anything; here it becomes a failed check
            yield Check(KIND, False, artifact.path, runtime.name, output, detail=reason(error), contract=about)
        else:
            kept = _kept(bundle, promised, verdict.broken_by)
            yield _check_of(verdict, contract, promised, artifact, runtime, kept)


def notes(promises: Sequence[Promised]) -> list[str]:
    """What a report says of promises that no runtime can be asked for."""
    return [
        f"{promised.kind} of layer {promised.layer} is about weights: checked when the bundle was built"
        for promised in promises
        if not promised.outputs
    ]


def known(promised: Promised, imports: Sequence[str]) -> Contract | WeightContract:
    """The contract of an entry of the manifest; the code that a user named is run when its kind is not known without.

    Raises:
        UsageError: its kind is not known here, or does not take the parameters.
    """
    if promised.kind not in _kinds.names():
        run_imports(imports)
    return _kinds.of(promised)


def _broke_before(bundle: Bundle, promised: Promised) -> Iterator[Population]:
    """What broke the same contract earlier; a damaged file is told of by nobody else, so it ends the check."""
    for _, about, probe in breaches.stream(bundle.path, bundle.signature):
        if breaches.same(about, promised):
            yield dict(probe)


def _kept(bundle: Bundle, promised: Promised, probe: Population | None) -> str:
    """Where the input that broke the contract lies now, in words; empty when there is none."""
    if probe is None:
        return ""
    try:
        return f"the input is in {breaches.store(bundle.path, promised, probe)}"
    except OSError as error:
        return f"the input could not be kept in the bundle: {error.strerror or error}"


def _check_of(
    verdict: Verdict, contract: Contract, promised: Promised, artifact: Artifact, runtime: Runtime, kept: str
) -> Check:
    broken = "" if verdict.passed or not verdict.ran else f"promised: it {contract.words()}"
    layer = f"by layer {promised.layer}" if promised.layer and broken else ""
    figure = verdict.figure if verdict.figure is not None and math.isfinite(verdict.figure) else None
    limit = verdict.limit if verdict.limit is not None and math.isfinite(verdict.limit) else None
    infinite = "the figure is infinite, or no number" if verdict.figure is not None and figure is None else ""
    return Check(
        KIND,
        verdict.passed,
        artifact.path,
        runtime.name,
        promised.outputs[0],
        figure,
        limit,
        verdict.unit,
        "; ".join(text for text in (" ".join(filter(None, (broken, layer))), infinite, verdict.detail, kept) if text),
        verdict.ran,
        {**verdict.metrics, "tried": verdict.tried},
        _kinds.text(contract),
    )
