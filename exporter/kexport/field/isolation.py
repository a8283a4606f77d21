"""A model in a process of its own: what its runtime does there, a crash included, cannot harm this process.

The process is confined as those of `verify` are: its time for a call is limited, and its memory.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypedDict

from kexport import runtimes
from kexport.bundle import packed_arrays
from kexport.bundle.json_text import Json, JsonObject
from kexport.bundle.quantization import to_json
from kexport.bundle.signature import Array, Signature
from kexport.confinement import Confinement
from kexport.errors import KexportError, ProcessDiedError, UncheckedError, UsageError, reason
from kexport.field.interface import declared_quantization, declared_signature
from kexport.field.trust import Trust, TrustJson
from kexport.parity.structure import as_text
from kexport.process import DEFAULT_TIMEOUT, Worker, WorkerCrashError, WorkerLimitError
from kexport.runtimes import Opened, Runtime, Session

_DATA = 1 << 26  # bytes that the largest call may take: its process may then use 16 GiB
_CHATTER = ("INFO:", "WARNING:")  # how lines of a runtime begin that are no last words


class _Declared(TypedDict):
    """What the process says about the artifact that it loaded."""

    signature: JsonObject
    outputs: list[str]
    ordered: bool
    quantization: JsonObject
    differences: list[str]


@dataclass(frozen=True)
class IsolatedArtifact:
    """An artifact to serve from another process.

    Attributes:
        path: its path; the caller has checked its digest.
        runtime: the one that loads it.
        signature: its signature.
        trust: the user code that may run while it is loaded.
        stateful: whether the model keeps state between calls.
        weights: the size of all artifacts, in bytes, from which the limits of the process follow.
    """

    path: Path
    runtime: Runtime
    signature: Signature
    trust: Trust
    stateful: bool
    weights: int


class Isolation:
    """The process that serves one artifact.

    A process that died is started again by the next call, unless the model keeps state between calls.

    Attributes:
        differences: where the code that the artifact was loaded with is not what its bundle was built with.
    """

    def __init__(self, artifact: IsolatedArtifact) -> None:
        self._artifact = artifact
        self._owner = os.getpid()
        self._closing = threading.RLock()  # a signal handler may close it, too
        self._closed = False
        self._declared = self._start()
        self.differences = list(self._declared["differences"])

    def opened(self) -> Opened:
        """The artifact, whose calls go to the process, one at a time."""
        declared = self._declared
        signature = declared_signature(declared["signature"], self._artifact.path.name)
        return Opened(
            self._run,
            signature.inputs,
            tuple(declared["outputs"]),
            bool(declared["ordered"]),
            close=self.close,
            produced=signature.outputs,
            quantization=declared_quantization(declared["quantization"], self._artifact.path.name),
        )

    def _confinement(self) -> Confinement | None:
        """What the process may use; a call, what follows from its inputs."""
        artifact, trust = self._artifact, self._artifact.trust
        whole = trust.confinement(artifact.weights, _DATA)
        if whole is None:
            return None
        heavy = runtimes.group_of(artifact.runtime) == "tensorflow"
        return whole.by_call(artifact.weights, tensorflow=heavy, max_bytes=trust.max_bytes)

    def _start(self) -> _Declared:
        """Start a process that loads the artifact; returns what that declares."""
        artifact = self._artifact
        try:
            confinement = self._confinement()
            worker = Worker([artifact.runtime.package.module], confinement=confinement)
        except OSError as error:
            hint = "raise the limits of open files and of processes: ulimit -n, ulimit -u"
            raise UncheckedError(f"{self._name} cannot be started", got=error.strerror or error, hint=hint) from None
        weakref.finalize(self, _end, worker, self._owner)
        with self._closing:
            closed = self._closed
            self._worker = worker
        if closed:
            worker.close()
            self._refuse_closed()
        worker.submit(
            f"{__name__}:{serve.__name__}",
            path=str(artifact.path),
            name=artifact.runtime.name,
            signature=artifact.signature.to_json(),
            trust=artifact.trust.to_json(),
        )
        try:
            declared: _Declared
            (declared,) = self._answer(worker, "while it loaded the model", DEFAULT_TIMEOUT)
        except BaseException:
            worker.close()
            raise
        return declared

    def _run(self, arrays: Sequence[Array]) -> list[Array]:
        if not self._worker.alive and not self._closed:
            if self._artifact.stateful:
                self._refuse_lost()
            self._worker.close()
            self._start()
        worker = self._worker
        chunks, described = packed_arrays.chunks(arrays), packed_arrays.described(arrays)
        try:
            worker.submit_bytes(f"{__name__}:{call.__name__}", chunks, described=described)
            descriptions, content = self._answer(worker, "during the call")
            return packed_arrays.unpacked(descriptions, content)
        except KexportError:
            raise
        except (TypeError, ValueError, RecursionError, MemoryError) as error:
            if self._closed:  # while its answer was read
                self._refuse_closed()
            worker.close()
            raise ProcessDiedError(f"{self._name} gave an unreadable answer", got=reason(error)) from None
        except BaseException:
            worker.close()  # its answer would be taken for that of the next call
            raise

    def _answer(self, worker: Worker, when: str, timeout: float | None = None) -> list[Any]:
        try:
            return list(worker.results(timeout))
        except (WorkerCrashError, OSError, ValueError) as error:
            if self._closed:
                self._refuse_closed()
            if not isinstance(error, WorkerCrashError):
                raise
            if isinstance(error, WorkerLimitError):
                raise UncheckedError(f"{self._name} was ended {when}", got=error) from None
            last = [line for line in error.log.splitlines() if line.strip() and not line.startswith(_CHATTER)][-1:]
            raise ProcessDiedError(
                f"{self._name} died {when}",
                got="; ".join([str(error), *last]),
                hint="load it again" if self._artifact.stateful else "the next call starts it again",
            ) from None

    @property
    def _name(self) -> str:
        return f"the process of {self._artifact.path.name} on {self._artifact.runtime.name}"

    def _refuse_closed(self) -> NoReturn:
        raise UsageError(f"the model on {self._artifact.runtime.name} was closed during the call")

    def _refuse_lost(self) -> NoReturn:
        raise ProcessDiedError(
            f"{self._name} died, and the state of the model with it", hint="load it again, and begin anew"
        )

    def close(self) -> None:
        """End the process; a call that it serves to another thread ends in a `UsageError`."""
        with self._closing:
            self._closed = True
        _end(self._worker, self._owner)


def _end(worker: Worker, owner: int) -> None:
    if os.getpid() == owner:  # in a fork, the process is the parent's
        worker.close()


_served: list[Session] = []  # of a process that serves: the one session


def serve(path: str, name: str, signature: JsonObject, trust: TrustJson) -> Iterator[_Declared]:
    """Load an artifact in this process, and yield what it declares."""
    trusted, runtime = Trust.from_json(trust), runtimes.get(name)
    session = trusted.open(runtime, Path(path), Signature.from_json(signature))
    _served[:] = [session]
    opened = session.opened
    yield {
        "signature": Signature(opened.inputs, opened.produced).to_json(),
        "outputs": list(opened.outputs),
        "ordered": opened.ordered,
        "quantization": to_json(opened.quantization),
        "differences": trusted.differences() if runtime.runs_user_code else [],
    }


def call(described: Json, payload: bytes) -> Iterator[list[dict[str, object]] | bytes]:
    """Call the artifact that this process serves; yields the description of its outputs, and their bytes."""
    (session,) = _served
    arrays = packed_arrays.unpacked(described, payload)
    names = [spec.name for spec in session.signature.inputs]
    result = session(dict(zip(names, arrays, strict=True)))
    outputs = [as_text(result[spec.name]) for spec in session.signature.outputs]
    yield packed_arrays.described(outputs)
    yield b"".join(packed_arrays.chunks(outputs))
