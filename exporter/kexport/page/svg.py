"""Elements of SVG as text, escaped. Places are in per cent of the width, so that a chart fits any screen."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup, escape

from kexport.visible import visible

_STRETCHED = {"x": 0, "width": "100%", "viewbox": "0 0 1000 1000", "preserveAspectRatio": "none", "overflow": "visible"}
_VOID = ("img",)  # elements of HTML that have no end


def element(tag: str, *children: str, **attributes: object) -> Markup:
    """One element.

    Args:
        tag: its name.
        *children: text, which is escaped unless it is `Markup`.
        **attributes: `class_` is `class`, an underscore a hyphen; what is None is left out.
    """
    given = "".join(
        f' {"viewBox" if name == "viewbox" else name.rstrip("_").replace("_", "-")}="{escape(visible(_short(value)))}"'
        for name, value in attributes.items()
        if value is not None
    )
    if tag in _VOID:
        return Markup(f"<{tag}{given}>")
    inner = Markup("").join(child if isinstance(child, Markup) else visible(child) for child in children)
    return Markup(f"<{tag}{given}>") + inner + Markup(f"</{tag}>")


def _short(value: object) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def at(share: float) -> str:
    """A place from 0, left, to 1, right, as SVG takes it; what lies outside is at the edge."""
    return f"{100 * min(1.0, max(0.0, share)):.2f}%"


def picture(label: str, height: int, *children: str, kind: str = "") -> Markup:
    """A chart of full width.

    Args:
        label: what it shows, for those who cannot see it.
        height: in CSS pixels.
        *children: its elements.
        kind: a further class.
    """
    return element(
        "svg", *children, role="img", aria_label=label, class_=f"chart {kind}".strip(), width="100%", height=height
    )


def stretched(*children: str, y: int, height: int) -> Markup:
    """A part of a chart whose own places are from 0 to 1000 both ways; lines keep their width."""
    return element("svg", *children, y=y, height=height, **_STRETCHED)


def line(points: Iterable[tuple[float, float]], kind: str) -> Markup:
    """A line through points within a stretched part, each coordinate from 0 to 1000."""
    text = " ".join(f"{x:.0f},{y:.0f}" for x, y in points)
    return element("polyline", points=text, class_=kind, vector_effect="non-scaling-stroke")


def label(text: str, share: float, y: float, kind: str = "") -> Markup:
    """Text beside a place; near an edge it does not leave the chart."""
    anchor = "start" if share < 0.08 else "end" if share > 0.92 else "middle"
    return element("text", text, x=at(share), y=y, text_anchor=anchor, class_=kind or None)
