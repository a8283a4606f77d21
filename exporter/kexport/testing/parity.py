"""`assert_parity`: every artifact of a bundle or model computes the same function as the model."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kexport.errors import FAILED, USAGE, KexportError, UsageError
from kexport.testing import session_state

if TYPE_CHECKING:
    from kexport.bundle.folder import Bundle
    from kexport.bundle.report import Report


class ParityError(AssertionError):
    """A check failed, or a requested check could not be run.

    Attributes:
        report: every check.
    """

    def __init__(self, text: str, report: Report) -> None:
        super().__init__(text)
        self.report = report


def assert_parity(
    model_or_bundle: object,
    *,
    runtimes: str | Sequence[str] | None = None,
    require: str | Sequence[str] | None = None,
    domain: Mapping[str, Any] | None = None,
    formats: Sequence[str] | None = None,
    folder: str | Path | None = None,
    **options: Any,
) -> Report:
    """Raise unless every runtime computes the same function as the model.

    Args:
        model_or_bundle: a bundle or its path, which is verified as it is; or anything `kexport.build` accepts (a live
            `keras.Model`, a `.keras` file, the name of a registered model, `file.py:callable`), which is built first.
        runtimes: the runtimes to check; each must compare an output. By default all that are installed; for a model,
            all.
        require: further runtimes that must compare an output.
        domain: the domains of the inputs, for a model.
        formats: the formats to build, for a model; by default those that `runtimes` read, else all.
        folder: where to build a model; by default a temporary folder, which is kept if the assertion fails.
        **options: further options of `kexport.build` or `kexport.verify`, such as `imports`.

    Returns:
        Every check; all of them have passed.

    Raises:
        ParityError: an `AssertionError`: an export was refused, a check failed or could not be run, or no numbers
            were compared.
        KexportError: the bundle cannot be read, the model cannot be loaded, or an argument is wrong.

    Example:
        >>> from kexport.testing import assert_parity
        >>> report = assert_parity("artifacts/reference/scaled", runtimes=["onnxruntime"])
        >>> report.passed
        True
    """
    __tracebackhide__ = True
    wanted = _Wanted(_named("runtimes", runtimes), (*_named("require", require), *session_state.CURRENT.required))
    try:
        path = bundle_path(model_or_bundle)
        if path is None:
            given = {"formats": formats, "domain": domain, **options}
            bundle, report = _build(model_or_bundle, wanted, folder, given)
        else:
            _refuse(domain=domain, formats=formats, folder=folder)
            bundle, report = _verify(path, wanted, options)
    except KexportError as error:
        if error.exit_code == USAGE:
            raise error.with_traceback(None) from None  # the message is all that helps
        raise _refusal(error) from None
    _require(report, bundle, wanted, kept=path is not None or folder is not None)
    return report


@dataclass(frozen=True)
class _Wanted:
    """The runtimes that an assertion names.

    Attributes:
        checked: the runtimes to check; empty for all.
        required: further runtimes that must compare an output.
    """

    checked: tuple[str, ...]
    required: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.checked, *self.required)


def _require(report: Report, bundle: Bundle, wanted: _Wanted, *, kept: bool) -> None:
    """Raise `ParityError` unless the report passes; remove a temporary bundle that does."""
    __tracebackhide__ = True
    from kexport.field.verification import required_runtimes
    from kexport.testing.failure_text import failure_text

    report = required_runtimes.require(report, bundle, wanted.names)
    compared = sorted({str(check.runtime) for check in report.checks if check.compared})
    session_state.CURRENT.compared.append(",".join(compared))
    if not report.passed:
        raise ParityError(failure_text(report, bundle.path), report)
    if not kept:
        shutil.rmtree(bundle.path.parent, ignore_errors=True)


def _refusal(error: KexportError) -> ParityError:
    """The failed assertion for an export that was refused before there was a report."""
    from kexport.bundle.report import Check, CheckKind, Report, Subject

    outcome = Check.failure if error.exit_code == FAILED else Check.not_run
    check = outcome(CheckKind.EXPORT, Subject(), str(error))
    return ParityError(str(error), Report("the model", (check,)))


def _verify(path: Path, wanted: _Wanted, options: Mapping[str, Any]) -> tuple[Bundle, Report]:
    from kexport.bundle.folder import Bundle
    from kexport.field.verification import required_runtimes, verify

    return Bundle.open(path), verify(path, required_runtimes.including(wanted.checked, wanted.required), **options)


def _build(
    model: object, wanted: _Wanted, folder: str | Path | None, options: Mapping[str, Any]
) -> tuple[Bundle, Report]:
    """Build the bundle, which checks it in every runtime of its formats, and select the requested checks."""
    from dataclasses import replace

    from kexport.factory.pipeline import build
    from kexport.runtimes import get as get_runtime

    options = dict(options)
    formats = options.pop("formats")
    if formats is None and wanted.checked:
        formats = list(dict.fromkeys(get_runtime(name).reads for name in wanted.names))
    target = Path(tempfile.mkdtemp(prefix="kexport_") if folder is None else folder)
    try:
        bundle = build(model, target / "bundle", formats=formats, **{"keep_going": True, **options})
    except BaseException:
        if folder is None:
            shutil.rmtree(target, ignore_errors=True)
        raise
    checks = [check for check in bundle.report.checks if not wanted.checked or check.runtime in (None, *wanted.names)]
    return bundle, replace(bundle.report, checks=tuple(checks))


def bundle_path(value: object) -> Path | None:
    """The path of the bundle that a value denotes; None if it denotes a model."""
    from kexport.bundle.folder import Bundle

    if isinstance(value, Bundle):
        return value.path
    if not isinstance(value, str | os.PathLike):
        return None
    place, text = Path(value), os.fspath(value)
    if place.is_dir():
        return None if (place / "saved_model.pb").exists() else place
    is_name = isinstance(value, str) and (":" in text or not {"/", os.sep} & set(text))
    return None if is_name or text.endswith(".keras") else place


def _named(what: str, names: str | Sequence[str] | None) -> tuple[str, ...]:
    """The names of runtimes, all of which exist."""
    __tracebackhide__ = True
    if names is None:
        return ()
    from kexport.field.verification import required_runtimes

    try:
        return required_runtimes.names_of(names if isinstance(names, str) else ",".join(names), what)
    except KexportError as error:
        raise error.with_traceback(None) from None


def _refuse(**options: object) -> None:
    given = [name for name, value in options.items() if value is not None]
    if given:
        raise UsageError(
            f"a bundle takes no {' and no '.join(given)}", hint="these are options for a model, which is built first"
        )
