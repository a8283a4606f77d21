"""The manifest of what a build wrote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from kexport.bundle import goldens
from kexport.bundle.digests import digest
from kexport.bundle.manifest import Manifest
from kexport.bundle.manifest_entries import BuildEntry, DomainsEntry, GoldensEntry, ModelEntry
from kexport.bundle.precision import small_limits
from kexport.bundle.samples import write as write_samples
from kexport.bundle.signature import TensorSpec
from kexport.factory.exports import Exports
from kexport.factory.inputs import InputDomains
from kexport.factory.precisions import SmallArtifacts
from kexport.factory.provenance import provenance
from kexport.factory.request import BuildPlan
from kexport.factory.truth import GoldenSet
from kexport.factory.written_artifact import artifact_entry


def manifest_of(
    plan: BuildPlan,
    folder: Path,
    model: ModelEntry,
    inputs: InputDomains,
    artifacts: tuple[Exports, SmallArtifacts],
    golden_set: GoldenSet,
) -> Manifest:
    """The manifest of what lies in the folder; recorded samples are written there too."""
    signature, (exports, small) = model.signature, artifacts
    written = [form for form in plan.formats if form.name in exports.details]
    own = _precision(signature.outputs)
    entries = [artifact_entry(form.name, own, form.path, folder, exports.details[form.name]) for form in written]
    precisions = plan.request.conversion.precisions
    for target, details in small.details.items():
        entry = artifact_entry(target.form.name, target.precision, target.path, folder, details)
        limits = small_limits(golden_set.limits, signature, target.precision, precisions.budgets.decibels)
        entries.append(replace(entry, limits=limits))
    refusals = {**exports.refusals, **({} if precisions.choose else small.refusals)}
    chosen = {option.name: option.read(exports.details[form.name]) for form in written for option in form.options}
    return Manifest(
        plan.source.name,
        model,
        tuple(entries),
        GoldensEntry(
            goldens.FILE_NAME,
            digest(folder / goldens.FILE_NAME),
            tuple(golden.label for golden in golden_set.goldens),
            tuple(golden_set.limits),
            golden_set.ulp,
        ),
        DomainsEntry(
            {name: str(value) for name, value in inputs.domains.items()},
            inputs.undeclared,
            write_samples(folder, signature, inputs.domains),
        ),
        BuildEntry(
            {**provenance(), **chosen},
            {name: str(error) for name, error in refusals.items()},
        ),
    )


def _precision(outputs: Sequence[TensorSpec]) -> str:
    dtypes = {spec.dtype for spec in outputs if spec.is_float}
    return "float32" if not dtypes else sorted(dtypes)[0]
