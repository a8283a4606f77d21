"""`assert_parity`: every artifact of a bundle, or of a model, computes the same function as the model."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kexport.errors import FAILED, USAGE, KexportError, UsageError
from kexport.testing import session

if TYPE_CHECKING:
    from kexport.bundle.folder import Bundle
    from kexport.bundle.report import Report


class ParityError(AssertionError):
    """A check failed, or one that was asked for could not be made.

    Attributes:
        report: every check.
    """

    def __init__(self, text: str, report: Report) -> None:
        super().__init__(text)
        self.report = report


def assert_parity(
    model_or_bundle: Any,
    *,
    runtimes: str | Sequence[str] | None = None,
    require: str | Sequence[str] | None = None,
    domain: Mapping[str, Any] | None = None,
    formats: Sequence[str] | None = None,
    folder: str | Path | None = None,
    **options: Any,
) -> Report:
    """Raise unless each runtime computes what the model does.

    Args:
        model_or_bundle: a bundle or its path, which is verified as it is; or what `kexport.build` takes, a live
            `keras.Model`, a `.keras` file, the name of a registered model, `file.py:callable`, which is built first.
        runtimes: those to check; each must compare an output. By default all that are installed (of a model: all).
        require: those that must compare an output besides.
        domain: of the inputs of a model that is built.
        formats: to build; by default those that `runtimes` read, else all.
        folder: to build in; by default a temporary one, which is left where it is when the assertion fails.
        **options: of `kexport.build` for a model, of `kexport.verify` for a bundle, such as `imports`.

    Returns:
        Every check; all of them have passed.

    Raises:
        ParityError: an `AssertionError`: an export was refused, a check failed or could not be made, or no number was
            compared.
        KexportError: the bundle cannot be read, the model cannot be loaded, or the request is wrong.

    Example:
        >>> from kexport.testing import assert_parity
        >>> report = assert_parity("artifacts/reference/scaled", runtimes=["onnxruntime"])
        >>> report.passed
        True
    """
    __tracebackhide__ = True
    asked, required = _named("runtimes", runtimes), (*_named("require", require), *session.CURRENT.required)
    try:
        path = _bundle_path(model_or_bundle)
        if path is None:
            bundle, report = _build(model_or_bundle, asked, required, formats, domain, folder, options)
        else:
            _refuse(domain=domain, formats=formats, folder=folder)
            bundle, report = _verify(path, asked, required, options)
    except KexportError as error:
        if error.exit_code == USAGE:
            raise error.with_traceback(None) from None  # what it says is all that helps
        raise _refusal(error) from None
    _judge(report, bundle, (*asked, *required), kept=path is not None or folder is not None)
    return report


def _judge(report: Report, bundle: Bundle, required: Sequence[str], *, kept: bool) -> None:
    """Raise unless the report passes; remove a temporary bundle that has."""
    __tracebackhide__ = True
    from kexport.field.verification import required_runtimes
    from kexport.testing.wording import failure

    report = required_runtimes.require(report, bundle, required)
    session.CURRENT.compared.append(",".join(sorted({str(c.runtime) for c in report.checks if c.compared})))
    if not report.passed:
        raise ParityError(failure(report, bundle.path), report)
    if not kept:
        shutil.rmtree(bundle.path.parent, ignore_errors=True)


def _refusal(error: KexportError) -> ParityError:
    """The failed assertion for an export that was refused before there was a report."""
    from kexport.bundle.report import Check, CheckKind, Report, Subject

    made = Check.failure if error.exit_code == FAILED else Check.not_run
    check = made(CheckKind.EXPORT, Subject(), str(error))
    return ParityError(str(error), Report("the model", (check,)))


def _verify(
    path: Path, asked: Sequence[str], required: Sequence[str], options: Mapping[str, Any]
) -> tuple[Bundle, Report]:
    from kexport.bundle.folder import Bundle
    from kexport.field.verification import required_runtimes, verify

    return Bundle.open(path), verify(path, required_runtimes.including(asked, required), **options)


def _build(
    model: Any,
    asked: Sequence[str],
    required: Sequence[str],
    formats: Sequence[str] | None,
    domain: Mapping[str, Any] | None,
    folder: str | Path | None,
    options: Mapping[str, Any],
) -> tuple[Bundle, Report]:
    """Build the bundle, which checks it in every runtime of its formats, and choose the checks that were asked for."""
    from dataclasses import replace

    from kexport.factory.pipeline import build
    from kexport.runtimes import get as get_runtime

    wanted = (*asked, *required)
    if formats is None and asked:
        formats = list(dict.fromkeys(get_runtime(name).reads for name in wanted))
    target = Path(tempfile.mkdtemp(prefix="kexport-") if folder is None else folder)
    try:
        bundle = build(
            model, target / "bundle", formats=formats, domain=domain, **{"keep_going": True, **dict(options)}
        )
    except BaseException:
        if folder is None:
            shutil.rmtree(target, ignore_errors=True)
        raise
    chosen = [check for check in bundle.report.checks if not asked or check.runtime in (None, *wanted)]
    return bundle, replace(bundle.report, checks=tuple(chosen))


def _bundle_path(value: Any) -> Path | None:
    """The path of the bundle that is meant, None when it is a model."""
    from kexport.bundle.folder import Bundle

    if isinstance(value, Bundle):
        return value.path
    if not isinstance(value, str | os.PathLike):
        return None
    place, text = Path(value), os.fspath(value)
    if place.is_dir():
        return None if (place / "saved_model.pb").exists() else place
    named = isinstance(value, str) and (":" in text or not {"/", os.sep} & set(text))
    return None if named or text.endswith(".keras") else place


def _named(what: str, names: str | Sequence[str] | None) -> tuple[str, ...]:
    """The names of runtimes, each of which there is."""
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
        raise UsageError(f"a bundle takes no {' and no '.join(given)}", hint="these are for a model that is built")
