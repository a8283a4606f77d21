"""Where one artifact diverges from its model, on the case on which its outputs are worst."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from kexport.bundle.signature import Array
from kexport.errors import ArtifactError
from kexport.factory.localisation import bisection, in_worker, layer_verdicts
from kexport.factory.localisation.artifact_probe import ArtifactProbe
from kexport.factory.localisation.counterfactual import Counterfactuals
from kexport.factory.localisation.explanation import Evidence, explained
from kexport.factory.localisation.layer_output import LayerTruth
from kexport.factory.localisation.model_probe import Truths
from kexport.factory.localisation.replay_cases import ReplayCase, replay_cases
from kexport.factory.localisation.tensor_matcher import TensorMatcher
from kexport.factory.truth.goldens import TWIN
from kexport.parity.layer_report import Divergence, Localisation

_OTHERS = 8  # calls before a case that are tried


@dataclass(frozen=True)
class _WorstCase:
    """The case on which the artifact is worst.

    Attributes:
        case: the case.
        problems: what is wrong there, by output.
        crash: why the artifact does not run; None when it does.
        unjudged: outputs of which nothing can be concluded on any case.
    """

    case: ReplayCase
    problems: Mapping[str, str]
    crash: str | None = None
    unjudged: tuple[str, ...] = ()

    @property
    def failing(self) -> tuple[str, ...]:
        """What is wrong, one text each; empty when nothing is."""
        if self.crash is not None:
            return (f"it does not run: {self.crash}",)
        return tuple(f"{output}: {problem}" for output, problem in self.problems.items())


def localise_artifact(probe: ArtifactProbe, truths: Truths) -> Localisation:
    """Compare every layer of an artifact with its truth, and find where the artifact diverges from the model.

    Args:
        probe: observes the artifact.
        truths: the truths of the model's layers.

    Raises:
        ArtifactError: the artifact is missing, or cannot be read.
        ModelError: the model fails on an input of the bundle.
    """
    notes = probe.digest_notes()
    worst = _worst_case(probe)
    layers = truths.of(worst.case.golden.inputs)
    notes += [f"the limits come from a {truths.source}"] if truths.source != TWIN else []
    tensors = probe.tensors()
    outputs: Mapping[str, Array] = {}
    values: Mapping[str, Array] = {}
    if worst.crash is None:
        try:
            outputs, values = probe.observe(worst.case.calls, [tensor.key for tensor in tensors])
        except ArtifactError as error:
            notes.append(f"with every tensor as an output it does not run: {error.facts['got']}")
    if outputs and worst.failing and not _wrong(probe, worst.case, outputs):
        after = _after_another_call(probe, worst)
        if after is not None:
            notes.append("it is right when it is called first: what an earlier call leaves behind comes out")
            worst, (outputs, values) = after, probe.observe(after.case.calls, [tensor.key for tensor in tensors])
    factor, quantised = probe.runtime.accumulation_factor, probe.artifact.precision != "float32"
    matcher = TensorMatcher(layers, tensors, values, truths.outputs, factor)
    verdicts = layer_verdicts.judge(layers, matcher, factor, quantised)
    divergences: Sequence[Divergence] = verdicts.divergences
    if not worst.failing:
        notes += _harmless(divergences, quantised)
        divergences = []
    elif not outputs or not _wrong(probe, worst.case, outputs):
        if outputs:
            notes.append("the fault vanishes under observation: with every tensor as an output, the outputs are right")
        divergences, note = bisection.cut(probe, worst.case, layers, verdicts.rows, verdicts.matches)
        notes.append(note)
    elif divergences and not quantised:
        asked = Counterfactuals(truths, layers, worst.case.golden.inputs)
        divergences = explained(Evidence(layers, verdicts, matcher, asked, factor))
    elif not divergences:
        notes.append(_after_the_layers(layers, truths, worst.problems))
    place = (probe.artifact.path, probe.runtime.name, worst.case.golden.label)
    notes += _traced_to_the_identity(layers, divergences)
    rows, found = tuple(verdicts.rows), tuple(divergences)
    return Localisation(*place, worst.failing, rows, found, tuple(notes), worst.unjudged)


def _wrong(probe: ArtifactProbe, case: ReplayCase, outputs: Mapping[str, Array]) -> bool:
    """Whether these outputs of the case are wrong."""
    return bool(in_worker.compared(probe.bundle, case, outputs)["problems"])


def _after_another_call(probe: ArtifactProbe, worst: _WorstCase) -> _WorstCase | None:
    """The case after a call with other inputs, if it is wrong only then."""
    if worst.case.before:
        return None
    for other in itertools.islice(replay_cases(probe.bundle, 1.0), _OTHERS):
        case = replace(worst.case, before=[other.golden.inputs])
        try:
            outputs, _ = probe.observe(case.calls, [])
        except ArtifactError:
            continue
        if _wrong(probe, case, outputs):
            return replace(worst, case=case)
    return None


def _traced_to_the_identity(layers: Sequence[LayerTruth], divergences: Sequence[Divergence]) -> list[str]:
    """A note on each divergence at a layer that computes nothing in the traced graph, though it does eagerly."""
    named = {divergence.layer for divergence in divergences}
    return [
        f"{layer.name} was traced to the identity: the graph passes on what comes in; called eagerly, it does not"
        for layer in layers
        if layer.name in named and layer.is_traced_to_the_identity
    ]


def _after_the_layers(layers: Sequence[LayerTruth], truths: Truths, wrong: Mapping[str, str]) -> str:
    """A note for when every layer is right: the fault comes after those whose results are the wrong outputs."""
    tensors = {tensor for name, tensor in truths.outputs.items() if name in wrong}
    last = [layer.name for layer in layers if any(output.tensor in tensors for output in layer.outputs)]
    before = ", ".join(dict.fromkeys(last)) or "them"
    return f"every layer that can be observed is right: the fault lies between {before} and the outputs"


def _worst_case(probe: ArtifactProbe) -> _WorstCase:
    """Replay every case; where the artifact takes one sample at a time, the worst sample is taken alone."""
    index, row, crash = 0, 0, None
    unjudged: tuple[str, ...] = ()
    problems: dict[str, str] = {}
    try:
        results = probe.replay()
        worst = max(results, key=lambda each: (bool(each["problems"]), each["score"]))
        index, row = worst["case"], worst["row"]
        problems = {each["output"]: each["problem"] for each in worst["problems"]}
        nowhere = set[str].intersection(*(set(result["unjudged"]) for result in results))
        unjudged = tuple(spec.name for spec in probe.bundle.signature.outputs if spec.name in nowhere)
    except ArtifactError as error:
        crash = str(error.facts["got"])
    cases = replay_cases(probe.bundle, probe.runtime.accumulation_factor, probe.artifact.limits)
    case = next(itertools.islice(cases, index, None))
    pinned = probe.artifact.details.get("pinned")
    return _WorstCase(case.sample(row) if pinned else case, problems, crash, unjudged)


def _harmless(divergences: Sequence[Divergence], quantised: bool) -> list[str]:
    """A note on layers beyond their own limits when the outputs are right."""
    if quantised or not divergences:
        return []
    names = ", ".join(divergence.layer for divergence in divergences)
    return [f"layers beyond their limits, though every output is within its limit: {names}"]
