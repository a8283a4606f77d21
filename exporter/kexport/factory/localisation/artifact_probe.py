"""The artifact that is observed, in a process of its own: a crash of its runtime is an error with a name."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from kexport.bundle.folder import Bundle, require_digest
from kexport.bundle.manifest import Artifact
from kexport.bundle.signature import Array
from kexport.errors import ArtifactError, UncheckedError
from kexport.factory.localisation import in_worker, intermediates
from kexport.factory.localisation.in_worker import ArtifactJson, ReplayResult
from kexport.factory.localisation.intermediates import ArtifactTensor
from kexport.field.trust import NO_TRUST, Trust
from kexport.process import Worker, WorkerCrashError, WorkerLimitError
from kexport.runtimes import Runtime

_TASKS = "kexport.factory.localisation.in_worker"


class ArtifactProbe:
    """Observes one artifact of a bundle in one runtime; its process starts to import the runtime at once.

    Args:
        bundle: holds the artifact.
        artifact: the artifact to observe.
        runtime: runs it.
        trust: what may run of it.
    """

    def __init__(self, bundle: Bundle, artifact: Artifact, runtime: Runtime, trust: Trust = NO_TRUST) -> None:
        self.bundle, self.artifact, self.runtime = bundle, artifact, runtime
        self._path = bundle.path / artifact.path
        self._json: ArtifactJson = {"path": str(self._path), "format": artifact.format, "runtime": runtime.name}
        self._folder = tempfile.TemporaryDirectory(prefix="kexport_")  # not of a name that scratch cleans up
        self._confinement = trust.confinement(bundle.artifact_bytes, bundle.goldens_bytes, Path(self._folder.name))
        self._worker = self._started()

    def _started(self) -> Worker:
        modules = [self.runtime.package.module, *intermediates.get(self.artifact.format).modules]
        return Worker(modules, confinement=self._confinement)

    def digest_notes(self) -> list[str]:
        """A note when the artifact is not the one that was built: just this artifact may be the one to look into.

        Raises:
            ArtifactError: the artifact is missing.
        """
        try:
            for path, sha256 in self.artifact.files:
                require_digest(self.bundle.path, path, sha256, self.bundle.most(self.artifact.bytes))
        except ArtifactError as error:
            if not self._path.exists():
                raise
            return [f"{error.subject}: it was changed or damaged after the build"]
        return []

    def replay(self) -> list[ReplayResult]:
        """Run the artifact on every replay case, and compare its outputs with the truth.

        Raises:
            ArtifactError: the artifact does not run.
        """
        return self._run("replay", bundle=str(self.bundle.path), artifact=self._json)

    def tensors(self) -> list[ArtifactTensor]:
        """All tensors that its operators compute.

        Raises:
            ArtifactError: the file cannot be read.
        """
        return [ArtifactTensor.from_json(item) for item in self._run("tensors", artifact=self._json)]

    def observe(
        self, calls: Sequence[Mapping[str, Array]], keys: Sequence[str], *, alone: bool = False
    ) -> tuple[dict[str, Array], dict[str, Array]]:
        """Run a copy of the artifact that outputs these tensors too.

        Args:
            calls: the inputs of each call; the results of the last one count.
            keys: the keys of the tensors.
            alone: whether the copy outputs nothing else.

        Returns:
            The outputs by name, and the tensors by key.

        Raises:
            ArtifactError: the copy does not run.
        """
        folder = Path(tempfile.mkdtemp(dir=self._folder.name))
        feeds = {f"{index}/{name}": array for index, call in enumerate(calls) for name, array in call.items()}
        np.savez(folder / in_worker.FEEDS, allow_pickle=False, **feeds)
        self._run(
            "observe",
            artifact=self._json,
            signature=self.bundle.signature.to_json(),
            calls=len(calls),
            keys=list(keys),
            alone=alone,
            folder=str(folder),
        )
        return in_worker.read_values(folder, keys)

    def _run(self, task: str, **args: object) -> list[Any]:
        if not self._worker.alive:
            self._worker.close()
            self._worker = self._started()
        try:
            self._worker.submit(f"{_TASKS}:{task}", **args)
            return list(self._worker.results())
        except WorkerLimitError as limit:
            raise UncheckedError(f"{self.artifact.path} does not run in {self.runtime.name}", got=limit) from None
        except WorkerCrashError as crash:
            raise ArtifactError(
                f"{self.artifact.path} does not run in {self.runtime.name}", got=crash, hint="see kexport verify"
            ) from None

    def close(self) -> None:
        """End its process and remove its files."""
        self._worker.close()
        self._folder.cleanup()

    def __enter__(self) -> ArtifactProbe:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
