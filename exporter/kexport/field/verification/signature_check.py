"""Whether an artifact has the inputs, outputs and operators that the manifest states."""

from __future__ import annotations

from collections.abc import Mapping

from kexport.bundle.report import Check, CheckKind
from kexport.field.interface import mismatches
from kexport.field.verification.artifact_in_runtime import ArtifactInRuntime
from kexport.runtimes import Opened

_OPERATORS = "ops"  # of the details of an artifact
_INTEGERS = "integers"
_COMPUTED = {"int8": "int8", "int16x8": "int16"}  # by precision
_LONGEST, _MOST = 40, 5  # characters of what a manifest states, and operators, that are shown


def check_signature(tested: ArtifactInRuntime, opened: Opened) -> Check:
    """Compare names, order, dtypes and shapes with the manifest; of several precisions, operators too."""
    problems = mismatches(opened, tested.bundle.signature, tested.artifact)
    facts = [f"{problem.got} instead of {problem.expected}" for problem in problems]
    facts += _other_operators(tested)
    return Check(CheckKind.SIGNATURE, not facts, tested.subject, facts=tuple(facts))


def _other_operators(tested: ArtifactInRuntime) -> list[str]:
    """How operators and integers of the file differ from the manifest, where another precision could be meant."""
    details, read = tested.artifact.details, tested.runtime.file.details
    stated = details.get(_OPERATORS)
    several = {each.precision for each in tested.bundle.artifacts_of(tested.artifact.format)}
    if stated is None or read is None or len(several) == 1:
        return []
    there = read(tested.bundle.path / tested.artifact.path)
    found, integers = there.get(_OPERATORS), there.get(_INTEGERS)
    if _INTEGERS in details and details[_INTEGERS] != integers:
        return [f"it computes {_listed(integers)} instead of {_listed(details[_INTEGERS])}"]
    expected = _COMPUTED.get(tested.artifact.precision)
    if expected and isinstance(integers, list) and expected not in integers:
        return [f"it computes {_listed(integers)}, and not the {expected} of {tested.artifact.precision}"]
    if not isinstance(found, Mapping) or stated == found:
        return []
    if not isinstance(stated, Mapping):
        return [f"operators {found} instead of {str(stated)[:_LONGEST]}"]
    names = sorted(name for name in {*found, *stated} if found.get(name) != stated.get(name))
    counts = [f"{name} {found.get(name, 0)} times instead of {str(stated.get(name, 0))[:_LONGEST]}" for name in names]
    return [f"operators that are not those of the manifest: {', '.join(counts[:_MOST])}"]


def _listed(dtypes: object) -> str:
    return ", ".join(map(str, dtypes))[:_LONGEST] if isinstance(dtypes, list) else "no integers"
