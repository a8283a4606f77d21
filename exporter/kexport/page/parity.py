"""The errors of every artifact in its runtimes, output by output, as rows of tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from kexport.bundle.report import Check, CheckKind
from kexport.page.error_strip import ErrorDistribution, axis, axis_of, strip
from kexport.parity.outcome import UNIT
from kexport.reports import STEPS_LEGEND, kernel_steps, number, verdict

_MOST_OUTPUTS = 16


@dataclass(frozen=True)
class ErrorRow:
    """One artifact in one runtime.

    Attributes:
        check: what was measured.
        side: the bundle, where there are several.
        errors: their distribution.
        strip: the same as a picture; empty where there is none.
    """

    check: Check
    side: str
    errors: ErrorDistribution
    strip: Markup

    @property
    def runtime(self) -> str:
        """The runtime, or the two models that are compared."""
        return self.check.runtime or _compared(self.check.metrics)

    @property
    def figure(self) -> str:
        """The largest error."""
        return number(self.errors.largest) if self.check.unit == "dB" else _distance(self.check.figure, self.check)

    @property
    def floors(self) -> str:
        """The same in noise floors."""
        multiple = self.check.metrics.get("noise_multiple")
        return _formatted(multiple, ",.0f" if isinstance(multiple, int | float) and multiple >= 100 else ".1f")

    @property
    def ratio(self) -> str:
        """The ratio of signal to error."""
        return _formatted(self.check.metrics.get("sqnr_db"), ".0f")

    @property
    def steps(self) -> str:
        """How many steps integers are from those that kernels gave at the build; empty where none were counted."""
        return kernel_steps(self.check)

    @property
    def limit(self) -> str:
        """What the error may be at most, or the ratio at least."""
        return ("≥ " if self.check.unit == "dB" else "") + _distance(self.check.limit, self.check)

    @property
    def verdict(self) -> str:
        """The verdict in a word."""
        return verdict(self.check)


@dataclass(frozen=True)
class OutputErrors:
    """The errors of one output.

    Attributes:
        output: its name; `-` where nothing could be compared.
        rows: one per artifact and runtime.
        axis: the numbers below the pictures.
        source: where the limits come from.
    """

    output: str
    rows: tuple[ErrorRow, ...]
    axis: Markup
    source: str

    @property
    def steps_legend(self) -> str:
        """What the steps of integers are; empty where none were counted."""
        return STEPS_LEGEND if any(row.steps for row in self.rows) else ""


def output_errors(sides: Mapping[str, Sequence[Check]]) -> list[OutputErrors]:
    """The errors by output; rows of the same artifact and runtime are adjacent.

    Args:
        sides: the checks of each bundle, by its name; a single one may have none.
    """
    by_output: dict[str, list[tuple[str, Check]]] = {}
    for side, checks in sides.items():
        for check in checks:
            if check.kind in (CheckKind.PARITY, CheckKind.RUNTIME, CheckKind.EXPORT):
                by_output.setdefault(check.output or "-", []).append((side, check))
    return [_of_output(output, rows) for output, rows in list(by_output.items())[:_MOST_OUTPUTS]]


def _of_output(output: str, checks: list[tuple[str, Check]]) -> OutputErrors:
    order = list(dict.fromkeys((check.artifact, check.runtime) for _, check in checks))
    checks = sorted(checks, key=lambda each: order.index((each[1].artifact, each[1].runtime)))
    errors = [ErrorDistribution.of(check) for _, check in checks]
    scale = axis_of(errors)
    rows = tuple(
        ErrorRow(
            check,
            side,
            each,
            strip(each, scale, f"{check.artifact} on {check.runtime}") if _drawable(each) else Markup(""),
        )
        for (side, check), each in zip(checks, errors, strict=True)
    )
    sources = _sources(check for _, check in checks)
    return OutputErrors(output, rows, axis(scale) if any(map(_drawable, errors)) else Markup(""), sources)


def _drawable(errors: ErrorDistribution) -> bool:
    return any(errors.sizes())


def _distance(value: float | None, check: Check) -> str:
    unit = "" if check.unit == UNIT or value is None else f" {check.unit or ''}"
    return number(value, check.unit) + unit


def _formatted(value: object, form: str) -> str:
    return format(value, form) if isinstance(value, int | float) else "-"


def _compared(metrics: Mapping[str, object]) -> str:
    """The two models of a comparison."""
    sides = [side for side in (metrics.get("a"), metrics.get("b")) if isinstance(side, Mapping)]
    return " / ".join(f"{side.get('artifact', '-')} {side.get('runtime', '')}".strip() for side in sides)


def _sources(checks: Iterable[Check]) -> str:
    found = dict.fromkeys(str(source) for check in checks if (source := check.metrics.get("limit_source")))
    return ", ".join(found)
