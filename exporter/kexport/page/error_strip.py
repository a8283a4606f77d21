"""How the errors of one output are distributed in one runtime, on an axis with its limit and its noise floor."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from markupsafe import Markup

from kexport.bundle.report import Check
from kexport.page.scales import LogScale
from kexport.page.svg import at, element, label, picture
from kexport.parity.outcome import UNIT
from kexport.reports import number

_HEIGHT, _BARS = 30, 24  # pixels
_LARGEST = 1e300


@dataclass(frozen=True)
class ErrorDistribution:
    """The errors of one output, relative to its scale.

    Attributes:
        largest: the largest; None where nothing was compared.
        limit: what it may be; None where only a ratio in decibels has a limit.
        floor: the model's own distance from the truth.
        start: the least size in `counts`.
        counts: how many elements err by at least `start`, by twice that, and so on.
        exact: how many elements do not err.
    """

    largest: float | None
    limit: float | None
    floor: float | None
    start: float = 0.0
    counts: tuple[int, ...] = ()
    exact: int = 0

    @classmethod
    def of(cls, check: Check) -> ErrorDistribution:
        """The errors of a check, as far as its report states them."""
        relative = check.unit == UNIT
        given = check.metrics.get("distribution")
        given = given if isinstance(given, Mapping) else {}
        raw = given.get("counts")
        counts = tuple(max(0, each) for each in raw if isinstance(each, int)) if isinstance(raw, list | tuple) else ()
        exact = given.get("exact")
        largest = _positive(check.figure) if relative else _positive(check.metrics.get("error"))
        return cls(
            largest,
            _positive(check.limit) if relative else None,
            _positive(check.metrics.get("floor")),
            _positive(given.get("from")) or 0.0,
            counts,
            exact if isinstance(exact, int) else 0,
        )

    def sizes(self) -> Iterable[float]:
        """Every size that its strip shows."""
        yield from (size for size in (self.largest, self.limit, self.floor) if size)
        if self.start and self.counts:
            yield max(self.start, self._top() * 1e-6)

    def _top(self) -> float:
        return float(self.start * 2.0 ** min(200, len(self.counts)))


def _positive(value: object) -> float | None:
    """The number itself; None for what is no finite number from 0: a file may hold anything."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return float(value) if 0 <= value < _LARGEST else None


def axis_of(errors: Iterable[ErrorDistribution]) -> LogScale:
    """One scale for several strips."""
    return LogScale.over(size for each in errors for size in each.sizes())


def strip(errors: ErrorDistribution, scale: LogScale, name: str) -> Markup:
    """The errors as bars, whose height is the square root of the number of elements, between floor and limit."""
    children = []
    if errors.limit is not None:
        left = scale.share(errors.limit)
        rest = 1 - min(1.0, max(0.0, left))
        children.append(element("rect", x=at(left), width=at(rest), y=0, height=_HEIGHT, class_="forbidden"))
    most = max(errors.counts, default=0)
    for index, count in enumerate(errors.counts[:200]):
        if count and errors.start:
            left, right = (scale.share(errors.start * 2.0 ** (index + more)) for more in (0, 1))
            if right <= 0:
                continue
            height = max(1.5, _BARS * (count / most) ** 0.5)
            left = max(0.0, left)
            children.append(
                element("rect", x=at(left), width=at(min(1.0, right) - left), y=_HEIGHT - height, height=height,
                        class_="bar")
            )  # fmt: skip
    children.append(element("line", x1="0%", x2="100%", y1=_HEIGHT, y2=_HEIGHT, class_="axis"))
    if errors.floor:
        children.append(_upright(scale.share(errors.floor), "floor"))
    if errors.limit is not None:
        children.append(_upright(scale.share(errors.limit), "limit"))
    if errors.largest:
        wrong = errors.limit is not None and errors.largest > errors.limit
        kind = "largest wrong" if wrong else "largest"
        children.append(element("circle", cx=at(scale.share(errors.largest)), cy=_HEIGHT - 4, r=4, class_=kind))
    return picture(_words(errors, name), _HEIGHT + 1, *children, kind="strip")


def _words(errors: ErrorDistribution, name: str) -> str:
    elements = sum(errors.counts) + errors.exact
    parts = [f"errors of {name}: largest {number(errors.largest)}", f"limit {number(errors.limit)}"]
    parts += [f"noise floor {number(errors.floor)}"] * bool(errors.floor)
    return ", ".join(parts + [f"{elements:,} elements, {errors.exact:,} of them exact"] * bool(elements))


def _upright(share: float, kind: str) -> Markup:
    return element("line", x1=at(share), x2=at(share), y1=0, y2=_HEIGHT, class_=kind)


def axis(scale: LogScale) -> Markup:
    """The numbers below the strips."""
    ticks = [label(text, scale.share(value), 11, "tick") for value, text in scale.ticks(4)]
    return element("svg", *ticks, class_="chart", width="100%", height=14, aria_hidden="true")
