"""The formats of one build, written in this process or by converters in processes of their own."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from kexport.bundle import store
from kexport.errors import ExportError
from kexport.factory.earlier_conversions import CONVERTED_FROM, EarlierConversions, converted_from
from kexport.factory.emit import handover
from kexport.factory.emit.refusal import KEEPING_GOING, leaving_out
from kexport.factory.emit.trail import layer_of
from kexport.factory.emit.user_lines import user_lines
from kexport.factory.formats import Format
from kexport.factory.internal_error import fault
from kexport.factory.request import Conversion
from kexport.factory.trace.program import Program
from kexport.process import Worker, WorkerCrashError, WorkerTimeoutError

_NO_MORE_DATA = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EROFS)
#: The folder, in that of the bundle, from which the converters read the program.
HANDOVER = ".handover"
#: What is said of an artifact that an earlier build has converted from the same.
KEEPING = "keeping {}: what it was converted from has not changed"
_MOST_CANDIDATES = 5


class Exports:
    """The formats of one build.

    Args:
        program: the traced model.
        formats: the formats to write, in the order of the manifest.
        folder: the folder of the bundle.
        conversion: the converters' options and timeout, and whether a refused format is recorded instead of raised.
        earlier: conversions that need not be made again.

    Attributes:
        details: for each written format, what the manifest records about its artifact.
        refusals: the error for each format that was refused.
        converted_from: what the conversions follow from.
    """

    def __init__(
        self,
        program: Program,
        formats: Sequence[Format],
        folder: Path,
        conversion: Conversion,
        earlier: EarlierConversions | None = None,
    ) -> None:
        self.details: dict[str, Mapping[str, object]] = {}
        self.refusals: dict[str, ExportError] = {}
        self.converted_from = ""
        self._earlier = earlier or EarlierConversions()
        self._program = program
        self._formats = formats
        self._folder = folder
        self._conversion = conversion
        self._kept: list[str] = []
        self._converting: dict[str, tuple[Format, Worker]] = {}

    def start(self, workers: Sequence[Worker]) -> None:
        """Hand the program over to the converters, one a worker, which run beside this process."""
        forms = [form for form in self._formats if form.converter is not None]
        if forms:
            handover.write(self._program, self._folder / HANDOVER)
            self.converted_from = converted_from(self._folder / HANDOVER, self._conversion.options)
        for form, worker in zip(forms, workers, strict=False):
            kept = self._earlier.take(form.path, self.converted_from, self._folder)
            if kept is not None:
                self.details[form.name] = {**kept, CONVERTED_FROM: self.converted_from}
                self._kept.append(form.name)
                continue
            self._converting[form.name] = form, worker
            worker.submit(
                form.converter or "",
                handover=str(self._folder / HANDOVER),
                target=str(self._folder / form.path),
                options=self._conversion.options,
            )

    def write(self, progress: Callable[[str], None]) -> None:
        """Write the formats that this process writes."""
        self._program.reset()
        for form in self._formats:
            if form.writer is not None:
                progress(f"writing {form.name}")
                self._attempt(form, partial(_written, form, self._program, self._folder / form.path))

    def finish(self, progress: Callable[[str], None]) -> None:
        """Wait for the converters.

        Raises:
            ExportError: a format was refused and the build does not keep going, or every format was.
        """
        for name in self._kept:
            progress(KEEPING.format(name))
        for form, worker in self._converting.values():
            progress(f"writing {form.name}")
            self._attempt(form, partial(self._converted, form, worker))
        if not self.details:
            raise _every(self.refusals)

    def _converted(self, form: Format, worker: Worker) -> Mapping[str, object]:
        details = _converted(form, worker, self._program, self._conversion.timeout)
        return {**details, **({CONVERTED_FROM: self.converted_from} if self.converted_from else {})}

    def _attempt(self, form: Format, write: Callable[[], Mapping[str, object]]) -> None:
        try:
            self.details[form.name] = write()
        except ExportError as error:
            if not self._conversion.keep_going:
                raise
            self.refusals[form.name] = error
            for written in self._folder.glob(f"{form.path}*"):  # weights may lie beside it
                store.remove(written)


def _every(refusals: Mapping[str, ExportError]) -> ExportError:
    """The error for a model that no format can represent: the reason of each, and the ways out that are left."""
    if len(refusals) == 1:
        return next(iter(refusals.values()))
    reasons = (f"{name}: {error.subject}: {error.facts['got']}" for name, error in refusals.items())
    hints = (str(error.facts["hint"] or "").replace(KEEPING_GOING, "") for error in refusals.values())
    return ExportError(
        f"the model can be written in none of the formats {', '.join(refusals)}",
        got="\n            ".join(reasons),
        hint="\n            ".join(dict.fromkeys(filter(None, hints))) or None,
    )


def _written(form: Format, program: Program, target: Path) -> Mapping[str, object]:
    """Run a writer; an exception that TensorFlow or Keras raises becomes an error about the format."""
    assert form.writer is not None
    try:
        return form.writer(program, target)
    except (OSError, ExportError):
        raise
    except Exception as error:
        for code in _NO_MORE_DATA:
            if os.strerror(code) in str(error):  # TensorFlow wraps the error of the system into its own
                raise OSError(code, os.strerror(code)) from error
        way = leaving_out(form.name, layers=not program.served)
        raise fault(f"the model cannot be written as {form.name}", error, way) from error


def _converted(form: Format, worker: Worker, program: Program, timeout: float) -> Mapping[str, object]:
    way = leaving_out(form.name, layers=not program.served)
    try:
        (details,) = worker.results(timeout)
    except WorkerCrashError as crash:
        subject = f"the {form.name} converter crashed or took too long"
        raise crashed(subject, crash, _with_candidates(crash, program), timeout, way) from crash
    except RuntimeError as error:  # the traceback of an exception that a converter should not raise
        raise fault(f"the {form.name} converter failed on the model", str(error), way) from error
    return dict(details)


def crashed(subject: str, crash: WorkerCrashError, got: str, timeout: float, instead: str) -> ExportError:
    """The error for a converter whose process ended, or was ended after `timeout` seconds."""
    if isinstance(crash, WorkerTimeoutError):
        late = f"a conversion within {timeout:g} s"
        return ExportError(subject, got=got, expected=late, hint=f"allow more time (--timeout SECONDS), or {instead}")
    return ExportError(subject, got=got, hint=instead)


def _with_candidates(crash: WorkerCrashError, program: Program) -> str:
    """The crash, and where code of the user's own lies in the model: most likely, the converter stopped at one."""
    lines = {name: line for name, line in user_lines(program.core.graph).items() if line}
    places = dict.fromkeys(f"{layer_of(name, program.scopes)}, {line}" for name, line in lines.items())
    return f"{crash}; code of your own in it: {'; '.join([*places][:_MOST_CANDIDATES])}" if places else str(crash)
