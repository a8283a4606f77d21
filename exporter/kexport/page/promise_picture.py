"""Pictures of promises: the response of a filter, curves that must not turn, and the range between bounds."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from kexport.bundle.report import Check
from kexport.contracts import Bounded, Contract, LowPass, WeightContract
from kexport.page.curves import Box, Curve, chart, merged
from kexport.page.scales import LinearScale
from kexport.page.svg import at, element, label, picture

_FLOOR = -120.0  # dB; anything below is rounding
_MOST_CURVES = 6


@dataclass(frozen=True)
class Picture:
    """A picture of a promise.

    Attributes:
        caption: what it shows.
        drawing: the chart.
        legend: its lines: the number of the style, and the runtimes.
    """

    caption: str
    drawing: Markup
    legend: tuple[tuple[int | str, str], ...] = ()


def pictures(contract: Contract | WeightContract | None, checks: Sequence[Check]) -> list[Picture]:
    """What can be drawn of a promise from what its checks measured; nothing where they measured no curve."""
    drawn = [_response(contract, checks) if isinstance(contract, LowPass) else None]
    drawn += [_range(contract, checks) if isinstance(contract, Bounded) else None]
    return [each for each in drawn if each is not None] + list(_sweeps(checks))


def _name(check: Check) -> str:
    precision = ".".join((check.artifact or "").split(".")[1:-1])
    return f"{check.runtime or 'weights'} {precision}".strip()


def _points(across: object, up: object) -> list[tuple[float, float]]:
    if not isinstance(across, list | tuple) or not isinstance(up, list | tuple):
        return []
    pairs = zip(across, up, strict=False)
    return [(float(x), float(y)) for x, y in pairs if isinstance(x, int | float) and isinstance(y, int | float)]


def _response(contract: LowPass, checks: Sequence[Check]) -> Picture | None:
    """The frequency response in every runtime, and where the promise allows none."""
    measured = {
        f"{_name(check)}": points
        for check in checks
        if (points := _points(check.metrics.get("frequencies_hz"), check.metrics.get("response_db")))
    }
    if not measured:
        return None
    nyquist, ripple, attenuation = contract.sample_rate / 2, contract.ripple, contract.attenuation
    top, bottom = max(6.0, 2 * ripple), max(_FLOOR, min(-attenuation - 40, -60.0))
    axes = LinearScale(0.0, nyquist), LinearScale(bottom, top)
    boxes = [
        Box(contract.stop_band, nyquist, -attenuation, top),
        Box(0.0, contract.pass_band, bottom, -ripple),
        Box(0.0, contract.pass_band, ripple, top),
    ]
    clipped = {name: [(x, max(bottom, y)) for x, y in points] for name, points in measured.items()}
    curves = merged(clipped.items(), *axes)
    unit = "Hz" if contract.sample_rate != 1.0 else "cycles a sample"
    words = (
        f"frequency response: at least {attenuation:.4g} dB down from {contract.stop_band:.4g} {unit}, "
        f"within {ripple:.3g} dB up to {contract.pass_band:.4g}"
    )
    small = any(" " in name for name in measured)  # it names a precision
    slack = "; small precisions are given the slack of their budget" if small else ""
    drawing = chart(words, curves, axes, boxes, unit=unit)
    return Picture(f"Gain in dB; shaded: not allowed{slack}", drawing, _legend(curves))


def _legend(curves: Sequence[Curve]) -> tuple[tuple[int | str, str], ...]:
    return tuple((curve.style, curve.name) for curve in curves)


def _sweeps(checks: Sequence[Check]) -> Iterator[Picture]:
    """Curves of the output along one element of the input, which is moved alone; of a few elements."""
    swept: dict[str, dict[str, list[tuple[float, float]]]] = {}
    for check in checks:
        for entry in _entries(check.metrics.get("curves")):
            points = _points(entry.get("x"), entry.get("y"))
            if points:
                swept.setdefault(str(entry.get("element")), {})[_name(check)] = points
    for element_, measured in list(swept.items())[:_MOST_CURVES]:
        every = [point for points in measured.values() for point in points]
        axes = LinearScale.over([x for x, _ in every]), LinearScale.over([y for _, y in every], margin=0.08)
        curves = merged(measured.items(), *axes)
        words = f"the output along {element_}, all else as in one sample"
        yield Picture(f"The output along {element_}", chart(words, curves, axes, height=120), _legend(curves))


def _entries(value: object) -> Iterator[Mapping[str, object]]:
    if isinstance(value, list | tuple):
        yield from (each for each in value if isinstance(each, Mapping))


def _range(contract: Bounded, checks: Sequence[Check]) -> Picture | None:
    """The values that the search saw in each runtime, between the bounds."""
    seen = {
        _name(check): (float(low), float(high))
        for check in checks
        if isinstance(low := check.metrics.get("least"), int | float)
        and isinstance(high := check.metrics.get("largest"), int | float)
        and math.isfinite(low)
        and math.isfinite(high)
    }
    if not seen:
        return None
    bounds = [bound for bound in (contract.low, contract.high) if bound is not None]
    scale = LinearScale.over([*bounds, *(end for ends in seen.values() for end in ends)], margin=0.15)
    low, high = min(ends[0] for ends in seen.values()), max(ends[1] for ends in seen.values())
    parts = [element("line", x1="0%", x2="100%", y1=34, y2=34, class_="axis")]
    if contract.low is not None:
        parts.append(element("rect", x=0, width=at(scale.share(contract.low)), y=8, height=26, class_="forbidden"))
    if contract.high is not None:
        left = scale.share(contract.high)
        parts.append(element("rect", x=at(left), width=at(1 - left), y=8, height=26, class_="forbidden"))
    left, right = scale.share(low), scale.share(high)
    parts.append(element("rect", x=at(left), width=at(max(0.004, right - left)), y=16, height=10, class_="bar"))
    for bound in bounds:
        place = at(scale.share(bound))
        parts.append(element("line", x1=place, x2=place, y1=8, y2=34, class_="limit"))
        parts.append(label(f"{bound:g}", scale.share(bound), 48, "tick"))
    words = f"values seen from {low:.6g} to {high:.6g}, over all runtimes; bounds {', '.join(f'{b:g}' for b in bounds)}"
    return Picture(f"Values seen by the search: {low:.6g} to {high:.6g}", picture(words, 52, *parts))
