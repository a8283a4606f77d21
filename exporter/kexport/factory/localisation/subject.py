"""The artifact that is looked into, in a process of its own: a crash of its runtime is an error with a name."""

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
from kexport.errors import ArtifactError
from kexport.factory.localisation import in_worker
from kexport.factory.localisation.exposing._exposure import Tensor
from kexport.process import Worker, WorkerCrashError
from kexport.runtimes import Runtime

_CALLS = "kexport.factory.localisation.in_worker"


class Subject:
    """One artifact of a bundle in one runtime; its process starts to import the runtime at once.

    Args:
        bundle: that holds it.
        artifact: the artifact.
        runtime: that runs it.
    """

    def __init__(self, bundle: Bundle, artifact: Artifact, runtime: Runtime) -> None:
        self.bundle, self.artifact, self.runtime = bundle, artifact, runtime
        self._path = bundle.path / artifact.path
        self._folder = tempfile.TemporaryDirectory(prefix="kexport-")
        self._worker = self._started()

    def _started(self) -> Worker:
        return Worker([self.runtime.module, *(["onnx"] if self.artifact.format == "onnx" else [])])

    def notes(self) -> list[str]:
        """What the digests say: an artifact that was changed is just what may have to be looked into."""
        try:
            for path, sha256 in self.artifact.files:
                require_digest(self.bundle.path / path, sha256)
        except ArtifactError as error:
            if not self._path.exists():
                raise
            return [f"{error.subject}: it was changed or damaged after the build"]
        return []

    def replay(self) -> list[dict[str, Any]]:
        """Of each golden how wrong the outputs are; `kexport.factory.localisation.in_worker.replay` has the keys.

        Raises:
            ArtifactError: the artifact does not run.
        """
        return self._call("replay", bundle=str(self.bundle.path), path=str(self._path), runtime=self.runtime.name)

    def tensors(self) -> list[Tensor]:
        """All that its operators make.

        Raises:
            ArtifactError: the file cannot be read.
        """
        found = self._call("tensors", format_name=self.artifact.format, path=str(self._path))
        return [Tensor.from_json(item) for item in found]

    def look(
        self, calls: Sequence[Mapping[str, Array]], keys: Sequence[str], *, alone: bool = False
    ) -> tuple[dict[str, Array], dict[str, Array]]:
        """The outputs by name, and the tensors by key, of a copy that gives these tensors, at the last of the calls.

        Raises:
            ArtifactError: the copy does not run.
        """
        folder = Path(tempfile.mkdtemp(dir=self._folder.name))
        feeds = {f"{index}/{name}": array for index, call in enumerate(calls) for name, array in call.items()}
        np.savez(folder / "feeds.npz", allow_pickle=False, **feeds)
        self._call(
            "look",
            format_name=self.artifact.format,
            path=str(self._path),
            runtime=self.runtime.name,
            signature=self.bundle.signature.to_json(),
            feeds=str(folder / "feeds.npz"),
            calls=len(calls),
            keys=list(keys),
            alone=alone,
            folder=str(folder),
        )
        return in_worker.read(folder, keys)

    def _call(self, function: str, **args: Any) -> list[dict[str, Any]]:
        if not self._worker.alive:
            self._worker.close()
            self._worker = self._started()
        try:
            return self._worker.run(f"{_CALLS}:{function}", **args)
        except WorkerCrashError as crash:
            raise ArtifactError(
                f"{self.artifact.path} does not run in {self.runtime.name}", got=crash, hint="see kexport verify"
            ) from None

    def close(self) -> None:
        """End its process, and remove what was written."""
        self._worker.close()
        self._folder.cleanup()

    def __enter__(self) -> Subject:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
