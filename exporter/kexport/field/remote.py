"""A runtime that runs in another process: batches go there and come back as files of arrays."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kexport import runtimes
from kexport.bundle.folder import Bundle
from kexport.bundle.signature import Array, Signature
from kexport.errors import reason
from kexport.field.trust import Trust, TrustJson
from kexport.parity.structure import as_text
from kexport.process import Worker, WorkerCrashError, WorkerTimeoutError
from kexport.runtimes import Runtime, Session

Outputs = dict[str, Array]


_TIMEOUT = 600.0  # seconds that some calls may take; the first ones include the import of a runtime


class RuntimeFailedError(Exception):
    """A runtime raised an exception, or took its process with it: that of `remote`, where it is known."""

    def __init__(self, why: str, remote: RemoteSession | None = None) -> None:
        self.remote = remote
        super().__init__(why)


class RestartingWorker:
    """A worker process that is started again when something kills it.

    Args:
        module: that its runtimes import.
        worker: one that runs already.
    """

    def __init__(self, module: str, worker: Worker | None = None) -> None:
        self._module = module
        self._worker = worker or Worker(preload=[module])
        self._dead: list[Worker] = []  # kept, since other runtimes may still have to learn that theirs died

    @property
    def worker(self) -> Worker:
        """A process that is alive."""
        if not self._worker.alive:
            self._dead.append(self._worker)
            self._worker = Worker(preload=[self._module])
        return self._worker

    def close(self) -> None:
        """End the process."""
        for worker in (self._worker, *self._dead):
            worker.close()


@dataclass(frozen=True)
class NameMap:
    """What callers call the inputs and outputs of an artifact, by its own names; an output without one is left out."""

    inputs: Mapping[str, str]
    outputs: Mapping[str, str]

    @classmethod
    def own(cls, signature: Signature) -> NameMap:
        """Everything by the name that it has."""
        return cls(*({spec.name: spec.name for spec in side} for side in (signature.inputs, signature.outputs)))


_count = itertools.count()


class RemoteSession:
    """One artifact in one runtime of a worker process.

    Args:
        home: the folder of the artifact: a bundle, unless a signature is given.
        artifact: the path of the artifact in it.
        runtime: that reads it.
        lane: the process; several remotes may share it. None for this process.
        folder: for the files of arrays.
        trust: the user code that may run while a `.keras` file is loaded.
        signature: of the artifact, by its own names; that of the bundle by default.
        label: what messages call it; by default the name of the runtime.

    Attributes:
        doubted: whether it has failed a check of its own already.
    """

    def __init__(
        self, home: Path, artifact: str, runtime: Runtime, lane: RestartingWorker | None, folder: Path,
        trust: Trust, *, signature: Signature | None = None, label: str = "",
    ) -> None:  # fmt: skip
        self.runtime = runtime
        self.artifact = artifact
        self.label = label or runtime.name
        self.signature = signature or Bundle.open(home).signature
        self.doubted = False
        self._names = NameMap.own(self.signature)
        self._lane = lane
        self._worker: Worker | None = None
        self._task: dict[str, Any] = {}
        self._asked = {
            "path": str(home / artifact),
            "name": runtime.name,
            "signature": self.signature.to_json(),
            "trust": trust.to_json(),
        }
        stem = f"{next(_count)}.{runtime.name}.{Path(artifact).name}"
        self._feeds, self._outputs = folder / f"{stem}.in", folder / f"{stem}.out"

    def renamed(self, names: NameMap) -> RemoteSession:
        """The same session, called by other names."""
        other = copy(self)
        other._names = names
        return other

    def start(self, calls: Sequence[Mapping[str, Array]], *, fresh: bool = False) -> None:
        """Begin to run the calls one after another, in a session opened anew when `fresh`."""
        names = [self._names.inputs[spec.name] for spec in self.signature.inputs]
        _write(self._feeds, [[call[name] for name in names] for call in calls])
        files = {"feeds": str(self._feeds), "outputs": str(self._outputs)}
        self._task = {**self._asked, **files, "fresh": fresh}
        self._submit()

    def _submit(self) -> None:
        if self._lane is not None:
            self._worker = self._lane.worker
            self._worker.submit("kexport.field.remote:serve", **self._task)

    def finish(self) -> list[Outputs]:
        """The outputs of each call that was started.

        Raises:
            RuntimeFailedError: the runtime raised, or the process died.
        """
        error = self._answer(again=True)
        if error:
            raise RuntimeFailedError(error, self)
        names = [self._names.outputs.get(spec.name) for spec in self.signature.outputs]
        calls = _read(self._outputs, len(names))
        return [{n: a for n, a in zip(names, arrays, strict=True) if n is not None} for arrays in calls]

    def _answer(self, *, again: bool) -> str:
        """Why it failed, empty when it did not; another runtime may have killed the process, so it is asked twice."""
        try:
            (answer,) = serve(**self._task) if self._worker is None else self._worker.results(_TIMEOUT)
        except WorkerTimeoutError as hang:
            return str(hang)
        except WorkerCrashError as crash:
            if not again:
                return str(crash)
            self._submit()
            return self._answer(again=False)
        return str(answer["error"])

    def run(self, calls: Sequence[Mapping[str, Array]], *, fresh: bool = False) -> list[Outputs]:
        """`start` and `finish`."""
        self.start(calls, fresh=fresh)
        return self.finish()


_sessions: dict[tuple[str, str, str], Session] = {}  # of a worker process, which has no end but its own


def serve(
    path: str,
    name: str,
    signature: Mapping[str, Any],
    feeds: str,
    outputs: str,
    fresh: bool,
    trust: TrustJson,
) -> Iterator[dict[str, Any]]:
    """Run calls in this process; yields why it could not, if so."""
    key = (path, name, outputs)
    if fresh:
        _sessions.pop(key, None)
    try:
        if key not in _sessions:
            runtime = runtimes.get(name)
            _sessions[key] = Trust.from_json(trust).open(runtime, Path(path), Signature.from_json(signature))
        session = _sessions[key]
        names = [spec.name for spec in session.signature.inputs]
        results = []
        for arrays in _read(Path(feeds), len(names)):
            found = session(dict(zip(names, arrays, strict=True)))
            results.append([as_text(found[spec.name]) for spec in session.signature.outputs])
        _write(Path(outputs), results)
        yield {"error": ""}
    except Exception as error:  # noqa: BLE001  a runtime may raise anything; the other process says so
        yield {"error": reason(error)}


def _write(path: Path, calls: Sequence[Sequence[Array]]) -> None:
    with path.open("wb") as file:
        for array in itertools.chain.from_iterable(calls):
            np.save(file, array, allow_pickle=False)


def _read(path: Path, width: int) -> list[list[Array]]:
    """All arrays of a file, `width` of them a call."""
    arrays: list[Array] = []
    size = path.stat().st_size
    with path.open("rb") as file:
        while file.tell() < size:
            arrays.append(np.load(file, allow_pickle=False))
    return [arrays[start : start + width] for start in range(0, len(arrays), width)]
