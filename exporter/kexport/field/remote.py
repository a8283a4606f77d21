"""Running artifacts in worker processes: inputs go there, and outputs come back, as files of arrays."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

import numpy as np

from kexport import runtimes
from kexport.bundle.json_text import JsonObject
from kexport.bundle.signature import Array, Signature
from kexport.errors import ImportFailedError, MissingCodeError, RunError, UncheckedError, reason
from kexport.field.trust import NO_TRUST, Trust, TrustJson
from kexport.field.workers import RestartingWorker
from kexport.parity.structure import as_text
from kexport.process import Worker, WorkerCrashError, WorkerLimitError
from kexport.runtimes import Runtime, Session

Outputs = dict[str, Array]

_TIMEOUT = 600.0  # seconds that one task may take; the first one includes the import of a runtime


class RuntimeFailedError(Exception):
    """A runtime raised an exception, or its process died.

    Attributes:
        remote: the session that failed, where it is known.
    """

    def __init__(self, why: str, remote: RemoteSession | None = None) -> None:
        self.remote = remote
        super().__init__(why)


@dataclass(frozen=True)
class NameMap:
    """The callers' names of inputs and outputs, by the artifact's own names; outputs without a name are left out.

    Attributes:
        inputs: those of the inputs.
        outputs: those of the outputs.
        input_axes: by the callers' names, the axis of the artifact's input that is the first one for callers; the first
            by default.
        output_axes: likewise for outputs.
    """

    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    input_axes: Mapping[str, int] = field(default_factory=dict)
    output_axes: Mapping[str, int] = field(default_factory=dict)

    def shared(self, name: str, value: Array) -> Array:
        """An input of the artifact, by its own name, with the axes that callers know."""
        return _first(value, self.input_axes.get(self.inputs[name], 0))

    def own(self, called: str, value: Array) -> Array:
        """A caller's input with the axes that the artifact takes."""
        axis = self.input_axes.get(called, 0)
        return np.ascontiguousarray(np.moveaxis(value, 0, axis)) if axis else value

    @classmethod
    def identity(cls, signature: Signature) -> NameMap:
        """Every input and output by the artifact's own name."""
        inputs, outputs = ({spec.name: spec.name for spec in side} for side in (signature.inputs, signature.outputs))
        return cls(inputs, outputs)


@dataclass(frozen=True)
class ArtifactSource:
    """An artifact to load, and what it takes to load it.

    Attributes:
        home: the folder that holds it.
        artifact: its path in that folder.
        runtime: the one that loads it.
        signature: the signature of the artifact, by its own names.
        trust: the user code that may run while it is loaded.
        title: what reports call it; by default its path.
    """

    home: Path
    artifact: str
    runtime: Runtime
    signature: Signature
    trust: Trust = NO_TRUST
    title: str = ""


class _LoadJson(TypedDict):
    """The part of a task that says what to load."""

    path: str
    name: str
    signature: JsonObject
    trust: TrustJson


class _Answer(TypedDict):
    error: str
    differences: list[str]


_count = itertools.count()


class RemoteSession:
    """A session of one artifact in one runtime, in a worker process.

    Args:
        source: the artifact and its runtime.
        worker: the process, which several sessions may share; None for this process.
        folder: for the files of arrays.
        label: what messages call it; by default the name of the runtime.
        has_failed: whether the artifact has failed a check in this runtime already.
    """

    def __init__(
        self,
        source: ArtifactSource,
        worker: RestartingWorker | None,
        folder: Path,
        *,
        label: str = "",
        has_failed: bool = False,
    ) -> None:
        self.runtime = source.runtime
        self.title = source.title
        self.artifact = source.title or source.artifact
        self.signature = source.signature
        self.label = label or source.runtime.name
        self.has_failed = has_failed
        self.differences: list[str] = []  # of the code that it was loaded with; filled by the first call
        self._names = NameMap.identity(source.signature)
        self._restarting_worker = worker
        self._worker: Worker | None = None
        self._load: _LoadJson = {
            "path": str(source.home / source.artifact),
            "name": source.runtime.name,
            "signature": source.signature.to_json(),
            "trust": source.trust.to_json(),
        }
        self._fresh, self._calls = False, 0
        stem = f"{next(_count)}.{source.runtime.name}.{Path(source.artifact).name}"
        self._feeds, self._outputs = folder / f"{stem}.in", folder / f"{stem}.out"

    def renamed(self, names: NameMap) -> RemoteSession:
        """The same session, with other names for its inputs and outputs."""
        other = copy(self)
        other._names = names
        return other

    def start(self, calls: Sequence[Mapping[str, Array]], *, fresh: bool = False) -> None:
        """Begin to run the calls one after another, in a newly opened session when `fresh`."""
        names = [self._names.inputs[spec.name] for spec in self.signature.inputs]
        _write(self._feeds, [[self._names.own(name, call[name]) for name in names] for call in calls])
        self._fresh, self._calls = fresh, len(calls)
        self._submit()

    def _submit(self) -> None:
        if self._restarting_worker is not None:
            self._worker = self._restarting_worker.worker
            files = {"feeds": str(self._feeds), "outputs": str(self._outputs)}
            how = {"fresh": self._fresh, "count": self._calls}
            self._worker.submit(f"{__name__}:{serve.__name__}", load=self._load, **how, **files)

    def finish(self) -> list[Outputs]:
        """The outputs of each call that was started.

        Raises:
            RuntimeFailedError: the runtime raised an exception, or the process died.
            MissingCodeError: the artifact needs code that was not given.
            UncheckedError: a call needed more time or memory than it may take.
        """
        error = self._error(retry=True)
        if error:
            raise RuntimeFailedError(error, self)
        names = [self._names.outputs.get(spec.name) for spec in self.signature.outputs]
        axes, calls = self._names.output_axes, _read(self._outputs, len(names))
        return [
            {n: _first(a, axes.get(n, 0)) for n, a in zip(names, arrays, strict=True) if n is not None}
            for arrays in calls
        ]

    def own_inputs(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """Inputs by the callers' names, with the axes that the artifact takes."""
        return {name: self._names.own(name, value) for name, value in feeds.items()}

    def _error(self, *, retry: bool) -> str:
        """Why the calls failed, empty when they did not; tries again after a crash, which another runtime may cause."""
        try:
            if self._worker is None:
                (answer,) = serve(self._load, str(self._feeds), str(self._outputs), self._fresh, self._calls)
            else:
                (answer,) = self._worker.results(_TIMEOUT)
        except WorkerLimitError as limit:
            raise UncheckedError(f"{self.label}: {limit}") from None
        except WorkerCrashError as crash:
            if not retry:
                return str(crash)
            self._submit()
            return self._error(retry=False)
        self.differences[:] = answer["differences"]
        return str(answer["error"])

    def run(self, calls: Sequence[Mapping[str, Array]], *, fresh: bool = False) -> list[Outputs]:
        """`start` and `finish`."""
        self.start(calls, fresh=fresh)
        return self.finish()


def _first(value: Array, axis: int) -> Array:
    """The array with that axis first; one without axes has none to move."""
    return np.moveaxis(value, axis, 0) if axis else value


_sessions: dict[tuple[str, str, str], Session] = {}  # of a worker process; they live as long as it does


def serve(load: _LoadJson, feeds: str, outputs: str, fresh: bool, count: int) -> Iterator[_Answer]:
    """Run calls in this process; yields why they failed, empty when they did not.

    Args:
        load: the artifact and its runtime.
        feeds: path of the file with the inputs of all calls.
        outputs: path of the file for their outputs.
        fresh: whether to open the artifact again.
        count: the number of calls.

    Raises:
        MissingCodeError: the artifact needs code that was not given.
        ImportFailedError: an import fails.
    """
    key = (load["path"], load["name"], outputs)
    if fresh:
        _sessions.pop(key, None)
    runtime, trust = runtimes.get(load["name"]), Trust.from_json(load["trust"])
    try:
        if key not in _sessions:
            signature = Signature.from_json(load["signature"])
            _sessions[key] = trust.open(runtime, Path(load["path"]), signature)
        session = _sessions[key]
        names = [spec.name for spec in session.signature.inputs]
        calls = []
        for arrays in _read(Path(feeds), len(names)) if names else [[]] * count:
            result = session(dict(zip(names, arrays, strict=True)))
            calls.append([as_text(result[spec.name]) for spec in session.signature.outputs])
        _write(Path(outputs), calls)
        yield {"error": "", "differences": trust.differences() if runtime.runs_user_code else []}
    except (MissingCodeError, UncheckedError, ImportFailedError):
        raise  # nothing may be wrong with the artifact
    except Exception as error:  # noqa: BLE001  a runtime may raise anything; the parent process reports it
        cause = f": {error.facts['got']}" if isinstance(error, RunError) else ""
        yield {"error": f"{reason(error)}{cause}", "differences": []}


def _write(path: Path, calls: Sequence[Sequence[Array]]) -> None:
    with path.open("wb") as file:
        for array in itertools.chain.from_iterable(calls):
            np.save(file, array, allow_pickle=False)


def _read(path: Path, width: int) -> list[list[Array]]:
    """All arrays of a file, grouped in calls of `width` arrays."""
    arrays: list[Array] = []
    size = path.stat().st_size
    with path.open("rb") as file:
        while file.tell() < size:
            arrays.append(np.load(file, allow_pickle=False))
    return [arrays[start : start + width] for start in range(0, len(arrays), width)]
