"""Line charts: curves against one another, beside what is not allowed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from kexport.page.scales import Scale
from kexport.page.svg import at, element, label, line, picture, stretched

STYLES = 6  # of lines, in the style sheet
_AXIS = 18  # pixels below the plot
_TEXT = 12  # pixels that a number is high
_MOST_POINTS = 300


@dataclass(frozen=True)
class Curve:
    """A line through points.

    Attributes:
        name: what it is of.
        points: in the units of the axes, by x; a point whose y is not finite ends the line.
        style: its number among `STYLES`, or a class.
    """

    name: str
    points: Sequence[tuple[float, float]]
    style: int | str = 0


@dataclass(frozen=True)
class Box:
    """A part of the chart that no curve may enter: from `left` to `right` and from `low` to `high`."""

    left: float
    right: float
    low: float
    high: float


def merged(curves: Iterable[tuple[str, Sequence[tuple[float, float]]]], x: Scale, y: Scale) -> list[Curve]:
    """Curves by name, those that are drawn alike as one; the names of the others are told with it."""
    alike: dict[str, list[str]] = {}
    kept: dict[str, Sequence[tuple[float, float]]] = {}
    for name, points in curves:
        drawn = str(_path(points, x, y))
        alike.setdefault(drawn, []).append(name)
        kept.setdefault(drawn, points)
    return [
        Curve(", ".join(dict.fromkeys(names)), kept[drawn], index % STYLES)
        for index, (drawn, names) in enumerate(alike.items())
    ]


def chart(label_: str, curves: Sequence[Curve], axes: tuple[Scale, Scale], boxes: Sequence[Box] = (),
          *, height: int = 180, unit: str = "", extra: str = "") -> Markup:  # fmt: skip
    """The chart, without a legend.

    Args:
        label_: what it shows, for those who cannot see it.
        curves: what is drawn, the last on top.
        axes: the scales of x and y.
        boxes: what no curve may enter.
        height: of the plot, in CSS pixels.
        unit: of x, named at the last number of the axis.
        extra: further elements of the plot, on the scale of `stretched`.
    """
    x, y = axes
    grid, names = [], []
    for value, text in y.ticks(1 + height // 36):
        place = height * (1 - y.share(value))
        grid.append(element("line", x1="0%", x2="100%", y1=place, y2=place, class_="grid"))
        names.append(element("text", text, x="0%", y=place - 3 if place > _TEXT else place + _TEXT, class_="tick"))
    ticks = x.ticks(5)
    for index, (value, text) in enumerate(ticks):
        words = f"{text} {unit}" if unit and index == len(ticks) - 1 else text
        names.append(label(words, x.share(value), height + _AXIS - 5, "tick"))
    grid.append(element("line", x1="0%", x2="100%", y1=height, y2=height, class_="axis"))
    forbidden = [_area(box, x, y, height) for box in boxes]
    lines = [line(part, f"curve c{curve.style}") for curve in curves for part in _path(curve.points, x, y)]
    plot = stretched(*lines, Markup(extra), y=0, height=height)
    return picture(label_, height + _AXIS, *grid, *forbidden, plot, *names)


def _area(box: Box, x: Scale, y: Scale, height: int) -> Markup:
    left, right = (min(1.0, max(0.0, x.share(value))) for value in (box.left, box.right))
    top, bottom = (min(1.0, max(0.0, 1 - y.share(value))) for value in (box.high, box.low))
    return element("rect", x=at(left), width=at(right - left), y=top * height, height=(bottom - top) * height,
                   class_="forbidden")  # fmt: skip


def _path(points: Sequence[tuple[float, float]], x: Scale, y: Scale) -> list[list[tuple[float, float]]]:
    """The points as places from 0 to 1000, thinned, in parts that lines connect."""
    parts: list[list[tuple[float, float]]] = [[]]
    step = max(1, len(points) // _MOST_POINTS)
    for index, (across, up) in enumerate(points):
        if index % step and index != len(points) - 1:
            continue
        if up - up != 0:  # NaN or infinite
            parts.append([])
            continue
        place = round(1000 * x.share(across)), round(1000 * (1 - min(2.0, max(-1.0, y.share(up)))))
        parts[-1].append(place)
    return [part for part in parts if part]
