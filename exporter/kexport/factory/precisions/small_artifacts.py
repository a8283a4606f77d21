"""Writing the artifacts in small precisions, each by a converter in a process of its own, which may crash."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

from kexport.bundle import store
from kexport.bundle.abort_words import ABORTS, WAY_OUT_OF_ABORTS
from kexport.bundle.precision import (
    FLOAT_OPERATORS,
    FLOAT_WEIGHTS,
    INTEGER,
    INTEGER_LAYERS,
    IO,
    KEPT,
    MAY_ABORT,
    MIXABLE,
)
from kexport.bundle.signature import Signature
from kexport.errors import ExportError, require_known
from kexport.factory.earlier_conversions import CONVERTED_FROM, EarlierConversions, narrowed_from
from kexport.factory.exports import HANDOVER, KEEPING, crashed
from kexport.factory.formats import SmallTarget, layer_name
from kexport.factory.inputs.calibration_file import CalibrationCall, write_inputs
from kexport.factory.internal_error import fault
from kexport.factory.precisions.calibration import Feeds
from kexport.factory.precisions.ranges import Outside, count_outside
from kexport.factory.request import Conversion
from kexport.factory.tensorflow_workers import tensorflow_workers
from kexport.factory.trace import Program
from kexport.factory.trace.layer_paths import paths
from kexport.process import Worker, WorkerCrashError

_CALIBRATION, _HELD_BACK = "calibration.npz", "held_back.npz"
_LARGE = 200_000_000  # bytes
_ALL_CALIBRATE = "the recorded rows are too few to hold some of them back from calibration"


def require_kept(program: Program, names: Sequence[str]) -> None:
    """Raise `UsageError` unless the model has a layer of each name; of a function of a SavedModel, none is known."""
    if program.served:
        return
    layers = [path for _, path in paths(program.model)]
    known = dict.fromkeys([*(path.rpartition("/")[2] for path in layers), *layers])
    for name in names:
        require_known(name, known, f"the model has no layer {name!r} to keep in float")


class SmallArtifacts:
    """The artifacts of one build in small precisions.

    Args:
        targets: what to write.
        folder: the folder of the bundle, which holds the formats in float32, and the handover.
        conversion: the timeout, and whether a refused artifact is recorded instead of raised.
        earlier: conversions that need not be made again.
        converted_from: what those to float32 follow from.
        workers: processes that have imported TensorFlow, and convert beside each other. More are started as needed.

    Attributes:
        details: of each that was written, what the manifest records about it.
        refusals: the error of each that was refused, by its label.
        integer_layers: of each of integers, the names of the layers of which some operator computes in these.
    """

    def __init__(
        self,
        targets: Sequence[SmallTarget],
        folder: Path,
        conversion: Conversion,
        earlier: EarlierConversions | None = None,
        converted_from: str = "",
        workers: Sequence[Worker] = (),
    ) -> None:
        self.details: dict[SmallTarget, Mapping[str, Any]] = {}
        self.refusals: dict[str, ExportError] = {}
        self.integer_layers: dict[SmallTarget, tuple[str, ...]] = {}
        self._idle = [*workers]
        self._outside: list[Outside] = []
        self._targets = targets
        self._folder = folder
        self._conversion = conversion
        self._earlier = earlier or EarlierConversions()
        self._converted_from = converted_from

    @property
    def notes(self) -> list[str]:
        """What of each artifact stayed in float, by operator and layer; and what is out of range."""
        found = [note for outside in self._outside for note in outside.told()]
        for target, details in self.details.items():
            if floats := details.get(FLOAT_OPERATORS):
                listed = ", ".join(f"{each['op']} of {each['layer']}" for each in floats)
                found.append(f"{target.path} computes in float: {listed}")
            if floats := details.get(FLOAT_WEIGHTS):
                listed = ", ".join(f"{each['op']} of {each['layer']} ({each['numbers']:,} numbers)" for each in floats)
                found.append(f"{target.path} keeps weights in float: {listed}")
            for each in details.get(MAY_ABORT, ()):
                words = f"{each['op']} of {each['layer']} {ABORTS.format(each['numbers'])}"
                found.append(f"{target.path}: {words}; {WAY_OUT_OF_ABORTS}")
        return found

    def write(
        self,
        inputs: Iterator[CalibrationCall],
        written: Sequence[str],
        progress: Callable[[str], None],
        *,
        shared: bool = False,
    ) -> None:
        """Write them, calibrated on the inputs.

        Args:
            inputs: see `calibration_inputs`.
            written: the names of the formats that were written in float32.
            progress: called with the name of each step.
            shared: whether the recorded inputs among them check the artifacts, too.

        Raises:
            ExportError: one was refused, and the build does not keep going.
        """
        targets = [target for target in self._targets if target.form.name in written]
        if not targets:
            return
        write_inputs(self._folder / HANDOVER / _CALIBRATION, inputs, shared=shared)
        fresh = []
        for target in targets:
            if self._is_kept(target):
                progress(KEEPING.format(target.label))
            else:
                fresh.append(target)
        self._write_beside(fresh, progress)
        if not self._conversion.precisions.choose:  # mixed ones are still to come
            self._end_workers()
        self.details = {target: self.details[target] for target in targets if target in self.details}

    def _write_beside(self, targets: Sequence[SmallTarget], progress: Callable[[str], None]) -> None:
        """Write some, beside each other; an error is that of the first that is refused."""
        beside = 1 if self._is_large() else max(1, len(self._idle))
        running: dict[Future[None], Worker] = {}
        written: list[Future[None]] = []
        with ThreadPoolExecutor(beside) as threads:
            try:
                for target in targets:
                    if len(running) == beside:
                        done = wait(running, return_when=FIRST_COMPLETED).done
                        self._idle += [running.pop(each) for each in done]
                        if any(each.exception() for each in done):
                            break
                    progress(f"writing {target.label}")
                    worker = self._worker()
                    written.append(threads.submit(self._attempt, target, worker))
                    running[written[-1]] = worker
                for each in written:
                    each.result()
                self._idle += running.values()
            except BaseException:  # the threads wait for these processes
                self._idle += running.values()
                self._end_workers()
                raise

    def _is_large(self) -> bool:
        """Whether the files are so large that converters, which need memory of several times that, take turns."""
        forms = {target.form.path for target in self._targets}
        files = [path for form in forms for path in self._folder.glob(f"{form}*")]
        return any(path.stat().st_size > _LARGE for path in files)

    def _worker(self) -> Worker:
        """An idle process; another one where the converter has ended it."""
        worker = self._idle.pop() if self._idle else None
        if worker is None or not worker.alive:
            if worker is not None:
                worker.close()
            (worker,) = tensorflow_workers(1)
        return worker

    def _end_workers(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def look_at_ranges(
        self, signature: Signature, held_back: Iterator[Feeds] | None, layer: Callable[[str], str]
    ) -> None:
        """Count the values outside of the ranges of all artifacts of integers.

        Args:
            signature: of the model.
            held_back: inputs on which no range was measured; None where there are none.
            layer: the layer that computes a tensor of a name in a file, in words.
        """
        targets = [target for target in self.details if target.precision in INTEGER]
        if held_back is None:
            self._outside = [Outside(target.path, (), _ALL_CALIBRATE) for target in targets]
        if not targets or held_back is None:
            return
        inputs = self._folder / HANDOVER / _HELD_BACK
        write_inputs(inputs, map(CalibrationCall, held_back))
        self._outside = count_outside(targets, self._folder, signature, inputs, layer)
        for target, found in zip(targets, self._outside, strict=True):
            self.details[target] = {**self.details[target], **found.details}

    def build_mixed(self, target: SmallTarget, path: Path, keep: Sequence[str]) -> Mapping[str, Any]:
        """Write a target again, with some layers in float, on the same inputs; returns the details of the artifact.

        Args:
            target: what was written of integers.
            path: what to write.
            keep: the names of the layers.

        Raises:
            ExportError: it is refused.
        """
        worker = self._worker()
        try:
            return self._written(target, worker, path, keep)
        finally:
            self._idle.append(worker)

    def close(self) -> None:
        """Remove what was handed over to the converters, and end these."""
        self._end_workers()
        store.remove(self._folder / HANDOVER)

    def _is_kept(self, target: SmallTarget) -> bool:
        """Take the target from an earlier build, where it follows from the same."""
        if self._conversion.precisions.choose:  # mixed ones need to know more than an artifact tells
            return False
        key = self._key(target)
        kept = self._earlier.take(target.path, key, self._folder)
        if kept is not None:
            self.details[target] = {**kept, CONVERTED_FROM: key}
        return kept is not None

    def _key(self, target: SmallTarget) -> str:
        precisions = self._conversion.precisions
        calibration = self._folder / HANDOVER / _CALIBRATION
        keep = [*precisions.keep] if target.precision == MIXABLE else []
        return narrowed_from(self._converted_from, calibration, target.precision, self._io(target), keep)

    def _io(self, target: SmallTarget) -> str:
        return self._conversion.precisions.io if target.precision in INTEGER else IO[0]

    def _attempt(self, target: SmallTarget, worker: Worker) -> None:
        try:
            keep = self._conversion.precisions.keep if target.precision == MIXABLE else ()
            details = self._written(target, worker, self._folder / target.path, keep)
            key = self._key(target)
            self.details[target] = {**details, **({CONVERTED_FROM: key} if key else {})}
        except ExportError as error:
            if not (self._conversion.keep_going or self._conversion.precisions.choose):
                raise
            self.refusals[target.label] = error
            for path in self._folder.glob(f"{target.path}*"):
                store.remove(path)

    def _written(self, target: SmallTarget, worker: Worker, path: Path, keep: Sequence[str]) -> Mapping[str, object]:
        io = self._io(target)
        task = {
            "handover": str(self._folder / HANDOVER),
            "wide": str(self._folder / target.form.path),
            "target": str(path),
            "precision": target.precision,
            "io": io,
            "calibration": str(self._folder / HANDOVER / _CALIBRATION),
            "keep": list(keep),
        }
        worker.submit(target.form.narrower or "", **task)
        way_out = f"leave out {target.precision} (--precision)"
        if io == "int":
            way_out += ", or keep float inputs and outputs (--io float)"
        try:
            (details,) = worker.results(self._conversion.timeout)
        except WorkerCrashError as crash:
            subject = f"the converter to {target.label} crashed or took too long"
            raise crashed(subject, crash, str(crash), self._conversion.timeout, way_out) from crash
        except ExportError as error:
            got, expected = error.facts["got"] or error.subject, error.facts["expected"]
            subject = f"the model cannot be written as {target.label}"
            raise ExportError(subject, got=got, expected=expected, hint=way_out) from error
        except RuntimeError as error:
            raise fault(f"the model cannot be written as {target.label}", str(error), way_out) from error
        found = dict(details)
        layers = map(layer_name, found.pop(INTEGER_LAYERS, ()))
        self.integer_layers.setdefault(target, tuple(layers))
        return {**found, KEPT: list(keep)} if keep else found
