"""Recording the integers that each class of kernels gives for an artifact of integers, beside its goldens."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from kexport import runtimes
from kexport.bundle import manifest, npz, store
from kexport.bundle.digests import digest
from kexport.bundle.folder import Bundle
from kexport.bundle.kernels_entry import KERNELS, KernelsEntry, array_name
from kexport.bundle.manifest import Artifact
from kexport.bundle.signature import Array
from kexport.factory.precisions import kernel_outputs_in_worker
from kexport.field.workers import WorkerPool
from kexport.parity.kernel_steps import LEAST, spread
from kexport.process import WorkerCrashError
from kexport.runtimes import Runtime
from kexport.scratch import temporary_folder

_SUFFIX = ".kernels.npz"
_TIMEOUT = 600.0

Recorded = dict[str, dict[str, Array]]  # by class of kernels and the rest of the name in the file


def record_kernels(folder: Path) -> None:
    """Record the integers of each artifact that has none yet; what was recorded of artifacts that are gone is removed.

    Where a runtime fails nothing is recorded of it: the checks say so.

    Args:
        folder: the folder of a bundle.
    """
    bundle = Bundle.open(folder, 1 << 62)
    lacking = [each for each in bundle.manifest.artifacts if each.steps and each.kernels is None]
    with contextlib.closing(WorkerPool()) as pool:
        found = {artifact.path: _recorded(bundle, artifact, pool) for artifact in lacking}
    entries = {path: _written(bundle, path, recorded) for path, recorded in found.items() if recorded}
    artifacts = tuple(
        replace(each, details={**each.details, KERNELS: entries[each.path].to_json()}) if each.path in entries else each
        for each in bundle.manifest.artifacts
    )
    if entries:
        manifest.write(folder, replace(bundle.manifest, artifacts=artifacts))
    known = {entry.path for each in artifacts if (entry := each.kernels) is not None}
    for path in folder.glob(f"*{_SUFFIX}"):
        if path.name not in known:
            store.remove(path)


def _recorded(bundle: Bundle, artifact: Artifact, pool: WorkerPool) -> Recorded:
    """What the installed runtimes give on the goldens."""
    recorded: Recorded = {}
    readers = [each for each in runtimes.every() if each.reads == artifact.format and each.installed]
    with temporary_folder() as scratch:
        for runtime in readers:
            for kernels, path in _run(bundle, artifact, runtime, pool, scratch):
                with np.load(path) as arrays:
                    recorded[kernels] = dict(arrays)
    return recorded


def _run(
    bundle: Bundle, artifact: Artifact, runtime: Runtime, pool: WorkerPool, scratch: Path
) -> Iterator[tuple[str, Path]]:
    """Each class of kernels of a runtime, and the file with its integers."""
    restarting = pool.worker_for(runtime)
    assert restarting is not None
    worker = restarting.worker
    worker.submit(
        f"{kernel_outputs_in_worker.__name__}:{kernel_outputs_in_worker.serve.__name__}",
        bundle=str(bundle.path),
        artifact=artifact.path,
        runtime=runtime.name,
        folder=str(scratch),
    )
    with contextlib.suppress(WorkerCrashError):
        for answer in worker.results(_TIMEOUT):
            yield answer["kernels"], Path(answer["path"])


def _written(bundle: Bundle, artifact: str, recorded: Recorded) -> KernelsEntry:
    """Write the integers, and how many steps each class of kernels may be away from its own."""
    path = artifact + _SUFFIX
    arrays = {f"{kernels}/{name}": array for kernels, own in recorded.items() for name, array in own.items()}
    npz.write(bundle.path / path, arrays)
    (entry,) = (each for each in bundle.manifest.artifacts if each.path == artifact)
    widest = {name: _spread(bundle, name, recorded) for name in entry.steps}
    same = {each.name for each in runtimes.every() if each.repeatable_integers and not entry.float_operators}
    allowed = {
        kernels: {name: 0 if kernels in same else steps + LEAST for name, steps in widest.items()}
        for kernels in recorded
    }
    return KernelsEntry(path, digest(bundle.path / path), allowed)


def _spread(bundle: Bundle, output: str, recorded: Mapping[str, Mapping[str, Array]]) -> int:
    cases = range(len(bundle.manifest.cases))
    suffixes = [array_name(golden, output) for golden in cases]
    return max((spread({k: own[name] for k, own in recorded.items() if name in own}) for name in suffixes), default=0)
