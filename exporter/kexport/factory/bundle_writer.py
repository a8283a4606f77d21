"""What a build writes into the folder of its bundle: artifacts, goldens and the manifest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kexport.bundle import goldens, manifest
from kexport.bundle.manifest_entries import ModelEntry
from kexport.bundle.precision import CALIBRATIONS
from kexport.factory.adequacy import require_subjects, see
from kexport.factory.build_checks import Written
from kexport.factory.built_manifest import manifest_of
from kexport.factory.diagnosis import diagnose, traced
from kexport.factory.earlier_conversions import EarlierConversions
from kexport.factory.emit import handover
from kexport.factory.exports import HANDOVER, Exports
from kexport.factory.inputs import InputDomains, recordings, resolve_domains
from kexport.factory.inputs.calibration_file import CalibrationCall
from kexport.factory.precisions import (
    SmallArtifacts,
    calibration_inputs,
    reaching_inputs,
    require_kept,
)
from kexport.factory.promises import collect, statements
from kexport.factory.request import BuildPlan
from kexport.factory.trace import BuiltModel, Program, Served
from kexport.factory.truth import GoldenSet, Oracle, TwinReference, carry_counterexamples, carry_witnesses, establish
from kexport.factory.user_code_record import record_user_code
from kexport.parity.smallest_call import require_affordable
from kexport.process import Worker


@dataclass(frozen=True)
class Conversions:
    """What converts: processes, and earlier conversions that stand in for them.

    Attributes:
        workers: processes that have imported TensorFlow.
        spare: others, for small precisions; none where they would have to be started anew.
        earlier: of builds of the same bundle.
    """

    workers: Sequence[Worker]
    spare: Sequence[Worker]
    earlier: EarlierConversions


def write_bundle(
    plan: BuildPlan, model: BuiltModel | Served, folder: Path, conversions: Conversions, progress: Callable[[str], None]
) -> Written:
    """Write artifacts, goldens and manifest into an empty folder.

    Args:
        plan: of the build.
        model: the model, loaded.
        folder: that of the bundle.
        conversions: what converts.
        progress: called with the name of each step.

    Raises:
        KexportError: the model cannot be written so.
    """
    progress("tracing")
    program = _traced(plan, model)
    signature = program.signature
    own = program.interface.own_names()
    domain = {**plan.domain, **plan.recording.named(signature, own)}
    inputs = resolve_domains(program, domain)
    recorded = {own.get(name, name): array for name, array in recordings(domain).items()}
    evaluation = plan.evaluation(signature, recorded, stateful=bool(program.state))
    progress("judging the model itself")
    diagnosis = diagnose(program, inputs.domains)
    promises = collect(program, statements(plan.request.declarations.contracts))
    exports = Exports(program, plan.formats, folder, plan.request.conversion, conversions.earlier)
    exports.start(conversions.workers)
    exports.write(progress)
    progress("computing the truth in float64")
    oracle = Oracle(program, inputs.domains)
    derived, adequacy = establish(program, oracle, inputs.domains), None
    if all(check.passed for check in diagnosis.checks):  # of what is no function, nothing can be seen
        progress("looking at what the goldens see")
        derived, adequacy = see(program, oracle, derived, inputs, plan.request.declarations.unseen)
    golden_set = derived.declaring(plan.request.strictness)
    goldens.write(folder / goldens.FILE_NAME, golden_set.goldens)
    exports.finish(progress)
    small = SmallArtifacts(
        plan.small, folder, plan.request.conversion, conversions.earlier, exports.converted_from, conversions.spare
    )
    calibration = _calibration(plan, program, inputs, golden_set, promised=bool(promises.contracts))
    shared = inputs.is_shared(signature)
    small.write(calibration, [*exports.details], progress, shared=shared)
    if small.details:
        progress("looking at the ranges of integers")
        held_back = None if shared else (golden.inputs for golden in golden_set.goldens)
        small.look_at_ranges(signature, held_back, handover.read(folder / HANDOVER).layer_of_result)
    code = record_user_code(program, folder, promises.contracts)
    entry = ModelEntry(signature, bool(program.state), promises.contracts, promises.not_carried, code.entries)
    written = manifest_of(plan, folder, entry, inputs, (exports, small), golden_set)
    manifest.write(folder, replace(written, adequacy=adequacy.entry if adequacy else None))
    reference = TwinReference(program, oracle, derived.limits, signature)
    carry_witnesses(plan.target, folder, signature, reference, golden_set.limits)
    carry_counterexamples(plan.target, folder, signature, promises.contracts)
    seen = adequacy.notes if adequacy else ()
    notes = [*inputs.notes, *seen, *code.notes, *diagnosis.notes, *golden_set.notes, *small.notes]
    return Written(notes, reference, (*diagnosis.checks, *promises.checks), small, evaluation)


def _traced(plan: BuildPlan, model: BuiltModel | Served) -> Program:
    """The traced model, once it is known to have what the request names."""
    program = traced(model, recordings({**plan.domain, **plan.recording.examples(model)}))
    require_affordable(program.signature, plan.request.trust.max_bytes)
    require_subjects(program, plan.request.declarations.unseen)
    require_kept(program, plan.request.conversion.precisions.keep)
    return program


def _calibration(
    plan: BuildPlan, program: Program, inputs: InputDomains, golden_set: GoldenSet, *, promised: bool
) -> Iterator[CalibrationCall]:
    """The inputs on which the ranges of integers are measured."""
    between = plan.request.conversion.precisions.calibration == CALIBRATIONS[1]
    yield from calibration_inputs(program.signature, inputs.domains, golden_set.goldens, between=between)
    if between or promised:  # promises hold on the whole domain
        yield from map(CalibrationCall, reaching_inputs(program, inputs.domains, golden_set.goldens, between=between))
