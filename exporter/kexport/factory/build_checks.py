"""The check of what a build wrote, the way a device would make it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from kexport import runtimes
from kexport.bundle.folder import Bundle
from kexport.bundle.report import Check, CheckKind, Observer, Report, Subject
from kexport.factory import formats as known_formats
from kexport.factory.precisions import SmallArtifacts, record_kernels
from kexport.factory.request import BuildPlan
from kexport.field.budgets import budget_checks
from kexport.field.evaluation import Evaluation
from kexport.field.search import Reference
from kexport.field.verification import Processes, Verification, verify_bundle
from kexport.field.workers import started_early
from kexport.parity.strictness import Strictness
from kexport.process import Worker

_ANY_SIZE = 1 << 50  # bytes of artifacts that are not written yet


@dataclass(frozen=True)
class Written:
    """What writing a bundle passes on to its check.

    Attributes:
        notes: for the report.
        reference: the model itself, which answers on any input.
        checks: the checks of the model itself, and of promises about weights.
        small: what wrote the artifacts in small precisions.
        evaluation: the metric of labelled samples, if one was requested.
    """

    notes: list[str]
    reference: Reference
    checks: tuple[Check, ...]
    small: SmallArtifacts
    evaluation: Evaluation | None = None


def beside_tensorflow(plan: BuildPlan) -> AbstractContextManager[dict[str, Worker]]:
    """Processes of the runtimes that need no TensorFlow, by their group: they start while that is imported."""
    formats = {form.name for form in plan.formats}
    if plan.request.strictness.search is not None or plan.metric is not None:
        formats = set()  # they will exchange arrays in a folder that does not exist yet
    return started_early(formats, plan.request.trust.confinement(_ANY_SIZE))


def check_build(
    plan: BuildPlan, folder: Path, started: Mapping[str, Worker], observe: Observer, written: Written
) -> Report:
    """Check the bundle the way a device would, in every runtime of its formats.

    Args:
        plan: of the build.
        folder: the bundle's.
        started: processes that run already, by group of runtimes.
        observe: gets each check.
        written: what writing the bundle passes on.
    """
    record_kernels(folder)
    bundle = Bundle.open(folder, 1 << 62)  # it is ours: no limit
    formats = {artifact.format for artifact in bundle.manifest.artifacts}
    able = [runtime for runtime in runtimes.every() if runtime.reads in formats]
    needing_code = [runtime for runtime in runtimes.every() if runtime.runs_user_code]
    processes = Processes(
        started,
        # The classes of a live model may exist in this process only.
        frozenset(runtime.name for runtime in needing_code) if plan.source.live else frozenset(),
    )
    # The manifest holds the declared limits already.
    strictness = Strictness(plan.request.strictness.search, repeatable=True)
    verification = Verification(
        bundle, tuple(able), plan.request.trust, strictness, written.reference, processes, written.evaluation
    )
    report = verify_bundle(verification, observe)
    refused = [
        Check.failure(CheckKind.EXPORT, Subject(known_formats.path_of(name)), why)
        for name, why in bundle.manifest.refused.items()
    ]
    budgets = list(budget_checks(bundle, plan.request.conversion.precisions.budgets, report.checks))
    for check in budgets:
        observe(check)
    checks = (*refused, *written.checks, *report.checks, *budgets)
    return Report(report.bundle, checks, (*written.notes, *report.notes))
