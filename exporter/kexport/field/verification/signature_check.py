"""Whether an artifact declares the inputs and outputs that the manifest states."""

from __future__ import annotations

from kexport.bundle.report import Check, CheckKind
from kexport.field.interface import mismatches
from kexport.field.verification.artifact_in_runtime import ArtifactInRuntime
from kexport.runtimes import Opened


def check_signature(tested: ArtifactInRuntime, opened: Opened) -> Check:
    """Compare names, order, dtypes and shapes with the manifest."""
    problems = mismatches(opened, tested.bundle.signature, tested.artifact)
    facts = tuple(f"{problem.got} instead of {problem.expected}" for problem in problems)
    return Check(CheckKind.SIGNATURE, not problems, tested.subject, facts=facts)
