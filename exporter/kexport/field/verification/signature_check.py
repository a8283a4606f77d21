"""Whether an artifact has the inputs, outputs and operators that the manifest states."""

from __future__ import annotations

from collections.abc import Mapping

from kexport.bundle.report import Check, CheckKind
from kexport.field.interface import mismatches
from kexport.field.verification.artifact_in_runtime import ArtifactInRuntime
from kexport.runtimes import Opened

_OPERATORS = "ops"  # of the details of an artifact
_LONGEST, _MOST = 40, 5  # characters of what a manifest states, and operators, that are shown


def check_signature(tested: ArtifactInRuntime, opened: Opened) -> Check:
    """Compare names, order, dtypes and shapes with the manifest; of several precisions, operators too."""
    problems = mismatches(opened, tested.bundle.signature, tested.artifact)
    facts = [f"{problem.got} instead of {problem.expected}" for problem in problems]
    facts += _other_operators(tested)
    return Check(CheckKind.SIGNATURE, not facts, tested.subject, facts=tuple(facts))


def _other_operators(tested: ArtifactInRuntime) -> list[str]:
    """How the operators of the file differ from those of the manifest, where another precision could be meant."""
    stated, read = tested.artifact.details.get(_OPERATORS), tested.runtime.file.details
    several = {each.precision for each in tested.bundle.artifacts_of(tested.artifact.format)}
    if stated is None or read is None or len(several) == 1:
        return []
    found = read(tested.bundle.path / tested.artifact.path).get(_OPERATORS)
    if not isinstance(found, Mapping) or stated == found:
        return []
    if not isinstance(stated, Mapping):
        return [f"operators {found} instead of {str(stated)[:_LONGEST]}"]
    names = sorted(name for name in {*found, *stated} if found.get(name) != stated.get(name))
    counts = [f"{name} {found.get(name, 0)} times instead of {str(stated.get(name, 0))[:_LONGEST]}" for name in names]
    return [f"operators that are not those of the manifest: {', '.join(counts[:_MOST])}"]
