"""Where the artifacts of a bundle part from its model, layer by layer."""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kexport.bundle.folder import Bundle
from kexport.bundle.manifest import Artifact
from kexport.bundle.signature import Array
from kexport.errors import ArtifactError, MissingRuntimeError, UncheckedError, UsageError
from kexport.factory.localisation import bisection, in_worker, layer_verdicts
from kexport.factory.localisation.exposing import _exposure
from kexport.factory.localisation.layer_truth import Layer, Truth
from kexport.factory.localisation.replay_cases import Case, cases
from kexport.factory.localisation.subject import Subject
from kexport.factory.localisation.tensor_matching import Matching
from kexport.factory.truth.goldens import TWIN
from kexport.field.trust import Trust
from kexport.parity.layer_report import Localisation, Parting
from kexport.runtimes import Runtime
from kexport.runtimes import every as every_runtime
from kexport.runtimes import get as get_runtime

Progress = Callable[[str], None]


def localise(
    path: str | Path,
    runtimes: Sequence[str] | None = None,
    *,
    imports: Sequence[str] = (),
    allow_lambda: bool = False,
    progress: Progress = lambda step: None,
) -> list[Localisation]:
    """Compare the layers in every artifact with those of the bundle's `.keras` file.

    Args:
        path: the bundle's folder.
        runtimes: their names; by default every one that is installed and reads an artifact that can be looked into.
        imports: files or modules that register the layers of the `.keras` file.
        allow_lambda: load Lambda layers of the `.keras` file.
        progress: called with each step as it begins.

    Returns:
        One localisation a runtime.

    Raises:
        BundleError: the bundle cannot be read.
        UsageError: no runtime has one of the names, or its artifacts cannot be looked into.
        UncheckedError: the bundle has no `.keras` file, or TensorFlow is not installed.
        ArtifactError: the `.keras` file or the goldens are not those that were built.
    """
    trust = Trust.of(imports, allow_lambda)
    wanted = None if runtimes is None else [_able(name) for name in dict.fromkeys(runtimes)]
    bundle = Bundle.open(path)
    keras_file = _require_truth(bundle)
    chosen = _chosen(bundle, wanted)
    with contextlib.ExitStack() as stack:
        subjects = [stack.enter_context(Subject(bundle, *each)) for each in chosen]
        progress("importing TensorFlow and Keras")
        model = _load(keras_file, trust)
        progress("tracing the layers")
        first = next(cases(bundle, 1.0))
        truth = Truth(model, bundle.signature, first.golden.inputs)
        found = []
        for subject in subjects:
            progress(f"looking into {subject.artifact.path} with {subject.runtime.name}")
            found.append(localised(subject, truth))
        return found


def _able(name: str) -> Runtime:
    runtime = get_runtime(name)
    if runtime.reads not in _exposure.formats():
        able = [each.name for each in every_runtime() if each.reads in _exposure.formats()]
        raise UsageError(
            f"runtime {name!r} cannot be looked into",
            got=f"it reads {runtime.reads}",
            expected="one of " + ", ".join(able),
            hint="kexport verify checks the outputs of every runtime",
        )
    runtime.require()
    return runtime


def _require_truth(bundle: Bundle) -> Path:
    """The path of the bundle's `.keras` file, whole."""
    artifacts = bundle.artifacts_of("keras")
    if not artifacts:
        formats = ", ".join(artifact.format for artifact in bundle.manifest.artifacts)
        raise UncheckedError(
            f"the layers of {bundle.manifest.name!r} cannot be checked: its model is not in the bundle",
            got=f"artifacts in {formats}",
            expected="a .keras file, from which the truth of the layers is computed",
            hint="build it with --formats keras," + formats.replace(" ", ""),
        )
    for module in ("tensorflow", "keras", "onnx"):
        if importlib.util.find_spec(module) is None:
            raise UncheckedError(
                f"the layers of {bundle.manifest.name!r} cannot be checked here: {module} is not installed",
                hint="pip install 'kexport[build]'",
            )
    return bundle.checked_path(artifacts[0])


def _chosen(bundle: Bundle, wanted: Sequence[Runtime] | None) -> list[tuple[Artifact, Runtime]]:
    formats = {artifact.format for artifact in bundle.manifest.artifacts}
    able = [each for each in every_runtime() if each.reads in _exposure.formats() and each.reads in formats]
    runtimes = [each for each in able if each.installed] if wanted is None else wanted
    for runtime in runtimes:
        if runtime.reads not in formats:
            raise MissingRuntimeError(
                f"{bundle.manifest.name!r} holds nothing that runtime {runtime.name!r} can read",
                got=", ".join(sorted(formats)),
                expected=runtime.reads,
            )
    if not runtimes:
        raise UncheckedError(
            f"nothing in {bundle.manifest.name!r} can be looked into here",
            got=", ".join(sorted(formats)),
            expected="an artifact in one of " + ", ".join(_exposure.formats()) + ", and a runtime that reads it",
        )
    return [(artifact, runtime) for runtime in runtimes for artifact in bundle.artifacts_of(runtime.reads)]


def _load(path: Path, trust: Trust) -> Any:
    from kexport.factory.tensorflow_workers import import_tensorflow
    from kexport.runtimes.keras_model import load_file

    import_tensorflow()
    with trust.granted():
        return load_file(path)


@dataclass(frozen=True)
class _Whole:
    """What the artifact as it is gives: on which case it is worst, and what is wrong there."""

    case: Case
    failing: tuple[str, ...]
    runs: bool = True


def localised(subject: Subject, truth: Truth) -> Localisation:
    """Where one artifact parts from the model, on the case on which its outputs are worst.

    Args:
        subject: the artifact.
        truth: of the model's layers.
    """
    notes = subject.notes()
    whole = _whole(subject)
    layers = truth.of(whole.case.golden.inputs)
    notes += [f"the limits come from a {truth.source}"] if truth.source != TWIN else []
    tensors = subject.tensors()
    outputs: Mapping[str, Array] = {}
    values: Mapping[str, Array] = {}
    if whole.runs:
        try:
            outputs, values = subject.look(whole.case.calls, [tensor.key for tensor in tensors])
        except ArtifactError as error:
            notes.append(f"with every tensor as an output it does not run: {error.facts['got']}")
    summation, quantised = subject.runtime.accumulation_factor, subject.artifact.precision != "float32"
    matching = Matching(layers, tensors, values, truth.outputs, summation)
    judgement = layer_verdicts.judge(layers, matching, summation, quantised)
    partings = judgement.partings
    if not whole.failing:
        notes += _harmless(partings, quantised)
        partings = []
    elif not outputs or not in_worker.judged(subject.bundle, whole.case, outputs)["failing"]:
        if outputs:
            notes.append("the fault vanishes under observation: with every tensor as an output, the outputs are right")
        partings, told = bisection.cut(subject, whole.case, layers, judgement.rows, judgement.matches)
        notes.append(told)
    elif not partings:
        notes.append(_after_the_layers(layers, truth, whole.failing))
    place = (subject.artifact.path, subject.runtime.name, whole.case.golden.label)
    return Localisation(*place, whole.failing, tuple(judgement.rows), tuple(partings), tuple(notes))


def _after_the_layers(layers: Sequence[Layer], truth: Truth, failing: Sequence[str]) -> str:
    """What is known when every layer is right: the fault comes after those whose results are the wrong outputs."""
    names = {text.partition(":")[0] for text in failing}
    wanted = {tensor for name, tensor in truth.outputs.items() if name in names}
    last = [layer.name for layer in layers if any(value.tensor in wanted for value in layer.values)]
    before = ", ".join(dict.fromkeys(last)) or "them"
    return f"every layer that can be observed is right: the fault lies between {before} and the outputs"


def _whole(subject: Subject) -> _Whole:
    """Replay every case; where the artifact takes one sample at a time, the worst sample is what is looked at."""
    index, row, runs = 0, 0, True
    failing: tuple[str, ...]
    try:
        worst = max(subject.replay(), key=lambda each: (bool(each["failing"]), each["score"]))
        index, row, failing = worst["case"], worst["row"], tuple(worst["failing"])
    except ArtifactError as error:
        failing, runs = (f"it does not run: {error.facts['got']}",), False
    case = next(itertools.islice(cases(subject.bundle, subject.runtime.accumulation_factor), index, None))
    pinned = subject.artifact.details.get("pinned")
    return _Whole(case.sample(row) if pinned else case, failing, runs)


def _harmless(partings: Sequence[Parting], quantised: bool) -> list[str]:
    """What is said of layers beyond their own limits when the outputs are right."""
    if quantised or not partings:
        return []
    names = ", ".join(parting.layer for parting in partings)
    return [f"beyond the limit of its own noise, though the outputs are within theirs: {names}"]
