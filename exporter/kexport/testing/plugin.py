"""The pytest plugin: the marker `kexport`, the fixtures `assert_parity` and `kexport_bundle`, `--kexport-require`.

It is loaded into every test session where kexport is installed, so it imports nothing heavy at the start and does
almost nothing per test.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kexport.errors import KexportError
from kexport.testing import session_state
from kexport.testing.parity import assert_parity as _assert_parity

if TYPE_CHECKING:
    from kexport.bundle.folder import Bundle
    from kexport.bundle.report import Report

_PROPERTY = "kexport_compared"  # a property of tests, also in pytest's JUnit file: the runtimes that were compared
_MARKER = (
    "kexport(bundle=None, runtimes=None, require=None, imports=(), allow_lambda=False): verify the bundle, a path "
    "relative to pytest's root folder, as the first step of the test; without a bundle, what the test's assert_parity "
    "checks."
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--kexport-require`."""
    parser.getgroup("kexport", "parity of exported Keras models").addoption(
        "--kexport-require",
        metavar="A,B",
        help="Runtimes that every assert_parity must compare; fails the session when one of them was compared nowhere.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker and the parts of the plugin that the options need."""
    config.addinivalue_line("markers", _MARKER)
    config.pluginmanager.register(_Proof(), "kexport-proof")
    text = config.getoption("kexport_require", None)
    if text is not None:
        from kexport.field.verification.required_runtimes import names_of

        try:
            names = names_of(text, "--kexport-require")
        except KexportError as error:
            raise pytest.UsageError(str(error)) from None
        config.pluginmanager.register(_Requirement(names), "kexport-requirement")


@pytest.fixture
def assert_parity(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., Report]:
    """`kexport.testing.assert_parity` with the runtimes of the test's marker, building in the test's own folder."""
    defaults = {}
    for marker in request.node.iter_markers("kexport"):
        defaults = {name: value for name, value in _read(marker).items() if name != "bundle" and value is not None}
        break
    count = 0

    def check(model_or_bundle: object, **options: Any) -> Report:
        __tracebackhide__ = True
        from kexport.testing.parity import bundle_path

        nonlocal count
        count += 1
        if bundle_path(model_or_bundle) is None:
            options = {"folder": tmp_path / f"kexport-{count}", **options}
        return _assert_parity(model_or_bundle, **{**defaults, **options})

    return check


@pytest.fixture
def kexport_bundle(request: pytest.FixtureRequest) -> Bundle:
    """The bundle that the test's marker names, verified before the test begins."""
    for marker in request.node.iter_markers("kexport"):
        if bundle := _read(marker)["bundle"]:
            from kexport.bundle.folder import Bundle

            return Bundle.open(request.config.rootpath / bundle)
    pytest.fail("kexport_bundle needs @pytest.mark.kexport(bundle='path/of/the/bundle')", pytrace=False)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    """Verify the bundles that the test's markers name, before its body runs."""
    __tracebackhide__ = True
    for marker in item.iter_markers("kexport"):
        asked = _read(marker)
        if bundle := asked.pop("bundle"):
            try:
                _assert_parity(item.config.rootpath / bundle, **asked)
            except (AssertionError, KexportError) as error:
                pytest.fail(str(error), pytrace=False)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item) -> None:
    """Attach the compared runtimes to the test; pytest-xdist sends properties to the controlling process."""
    if session_state.CURRENT.compared:
        item.user_properties += [(_PROPERTY, runtimes) for runtimes in session_state.CURRENT.compared]
        session_state.CURRENT.compared.clear()


class _Proof:
    """Fails a marked test that compared nothing."""

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_call(self, item: pytest.Item) -> None:
        marked = item.get_closest_marker("kexport") is not None
        if marked and not session_state.CURRENT.compared and _PROPERTY not in dict(item.user_properties):
            pytest.fail(
                "marked kexport, but nothing was compared: name a bundle in the marker, or call assert_parity",
                pytrace=False,
            )


class _Requirement:
    """Enforces `--kexport-require`, for each assertion and for the session as a whole."""

    def __init__(self, names: Sequence[str]) -> None:
        self._missing = dict.fromkeys(names)
        self._before = session_state.CURRENT.required
        session_state.CURRENT.required = tuple(names)

    def pytest_unconfigure(self) -> None:
        session_state.CURRENT.required = self._before

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for name, value in report.user_properties:
            if name == _PROPERTY:
                for runtime in str(value).split(","):
                    self._missing.pop(runtime, None)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        worker = hasattr(session.config, "workerinput")  # of pytest-xdist; the controlling process decides
        green = session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
        if self._missing and green and not worker and not session.config.option.collectonly:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
        if self._missing and not config.option.collectonly:
            names = ", ".join(self._missing)
            terminalreporter.write_line(f"FAILED --kexport-require: nothing was compared in {names}", red=True)


def _read(marker: pytest.Mark) -> dict[str, Any]:
    """The arguments of a marker; unknown arguments fail the test."""
    from dataclasses import fields

    from kexport.field.trust import Trust

    def arguments(
        bundle: str | Path | None = None,
        runtimes: str | Sequence[str] | None = None,
        require: str | Sequence[str] | None = None,
        **trust: Any,
    ) -> dict[str, Any]:
        for name in trust.keys() - {each.name for each in fields(Trust) if each.name != "code"}:
            raise TypeError(f"arguments() got an unexpected keyword argument {name!r}")
        return {"bundle": bundle, "runtimes": runtimes, "require": require, **trust}

    try:
        return arguments(*marker.args, **marker.kwargs)
    except TypeError as error:
        pytest.fail(f"@pytest.mark.kexport: {str(error).partition('() ')[2]}", pytrace=False)
