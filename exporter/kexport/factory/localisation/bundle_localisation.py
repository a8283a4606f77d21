"""Finds where the artifacts of a bundle diverge from its model, layer by layer."""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from kexport.bundle.folder import Bundle
from kexport.bundle.manifest import Artifact
from kexport.errors import MissingRuntimeError, UncheckedError, UsageError
from kexport.factory.localisation import intermediates
from kexport.factory.localisation.artifact_localisation import localise_artifact
from kexport.factory.localisation.artifact_probe import ArtifactProbe
from kexport.factory.localisation.model_probe import ModelProbe
from kexport.factory.localisation.replay_cases import replay_cases
from kexport.field.trust import NO_TRUST, Trust
from kexport.parity.localised_bundle import LocalisedBundle
from kexport.progress import advance, note
from kexport.runtimes import Runtime
from kexport.runtimes import every as every_runtime
from kexport.runtimes import get as get_runtime

Progress = Callable[[str], None]


def localise(
    path: str | Path,
    runtimes: Sequence[str] | None = None,
    trusted: Trust = NO_TRUST,
    progress: Progress = lambda step: None,
) -> LocalisedBundle:
    """Compare the layers in every artifact with those of the bundle's `.keras` file.

    Args:
        path: the bundle's folder.
        runtimes: their names; by default every one that is installed and reads an artifact with observable layers.
        trusted: what may run of the model, and the limits of what runs.
        progress: called with each step as it begins.

    Returns:
        One localisation per artifact and runtime, the layers that put the model itself at fault, and the report of
        the build.

    Raises:
        BundleError: the bundle cannot be read.
        UsageError: no runtime has one of the names, or the layers of its artifacts cannot be observed.
        UncheckedError: the bundle has no `.keras` file, TensorFlow is not installed, or a call took more than it may.
        ArtifactError: the `.keras` file or the goldens are not those that were built.
    """
    wanted = None if runtimes is None else [_able(name) for name in dict.fromkeys(runtimes)]
    trusted.require_imports()
    bundle = Bundle.open(path, trusted.max_bytes)
    built = bundle.report
    keras_file = _require_model(bundle)
    chosen = _chosen(bundle, wanted)
    _require_modules(bundle, (m for artifact, _ in chosen for m in intermediates.get(artifact.format).modules))
    with contextlib.ExitStack() as stack:
        truths = stack.enter_context(contextlib.closing(ModelProbe(bundle, trusted)))
        probes = [stack.enter_context(ArtifactProbe(bundle, *each, trusted)) for each in chosen]
        progress("importing TensorFlow and Keras, and tracing the layers")
        truths.trace(str(keras_file), next(replay_cases(bundle, 1.0)).golden.inputs)
        for difference in truths.differences:
            note(f"note: {difference}")
        localisations = []
        for index, probe in enumerate(probes):
            progress(f"observing {probe.artifact.path} in {probe.runtime.name}")
            advance(index / len(probes), f"artifact {index + 1} of {len(probes)}")
            localisations.append(localise_artifact(probe, truths))
        return LocalisedBundle(tuple(localisations), truths.model_faults, built)


def _able(name: str) -> Runtime:
    """The runtime of that name, whose artifacts have observable layers."""
    runtime = get_runtime(name)
    if runtime.reads not in intermediates.formats():
        able = [each.name for each in every_runtime() if each.reads in intermediates.formats()]
        raise UsageError(
            f"the layers in runtime {name!r} cannot be observed",
            got=f"it reads {runtime.reads}",
            expected="one of " + ", ".join(able),
            hint="kexport verify checks the outputs of every runtime",
        )
    runtime.require()
    return runtime


def _require_model(bundle: Bundle) -> Path:
    """The path of the bundle's `.keras` file, after its digest was checked."""
    artifacts = bundle.artifacts_of("keras")
    if not artifacts:
        formats = ", ".join(dict.fromkeys(artifact.format for artifact in bundle.manifest.artifacts))
        raise UncheckedError(
            f"the layers of {bundle.manifest.name!r} cannot be checked: its model is not in the bundle",
            got=f"artifacts in {formats}",
            expected="a .keras file, from which the truth of the layers is computed",
            hint="build it with --formats keras," + formats.replace(" ", ""),
        )
    _require_modules(bundle, ("tensorflow", "keras"))
    return bundle.checked_path(artifacts[0])


def _require_modules(bundle: Bundle, modules: Iterable[str]) -> None:
    for module in modules:
        if importlib.util.find_spec(module) is None:
            raise UncheckedError(
                f"the layers of {bundle.manifest.name!r} cannot be checked here: {module} is not installed",
                hint="pip install 'kexport[build]'",
            )


def _chosen(bundle: Bundle, wanted: Sequence[Runtime] | None) -> list[tuple[Artifact, Runtime]]:
    """Each artifact whose layers can be observed, with each runtime that observes it."""
    formats = {artifact.format for artifact in bundle.manifest.artifacts}
    able = [each for each in every_runtime() if each.reads in intermediates.formats() and each.reads in formats]
    runtimes = [each for each in able if each.installed] if wanted is None else wanted
    for runtime in runtimes:
        if runtime.reads not in formats:
            raise MissingRuntimeError(
                f"{bundle.manifest.name!r} has no artifact that runtime {runtime.name!r} can read",
                got=", ".join(sorted(formats)),
                expected=runtime.reads,
            )
    if not runtimes:
        raise UncheckedError(
            f"no layers in {bundle.manifest.name!r} can be observed here",
            got=", ".join(sorted(formats)),
            expected="an artifact in one of " + ", ".join(intermediates.formats()) + ", and a runtime that reads it",
        )
    return [(artifact, runtime) for runtime in runtimes for artifact in bundle.artifacts_of(runtime.reads)]
