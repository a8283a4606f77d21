"""Tensors drawn as what they are: signals, images, tables and text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from kexport.bundle.signature import Array
from kexport.page.curves import Curve, chart
from kexport.page.png import data_url
from kexport.page.scales import LinearScale
from kexport.page.svg import element

_LEAST_SIGNAL = 12  # numbers; fewer are a table
_MOST_CHANNELS = 6  # of a signal
_LEAST_SIDE = 6  # of an image
_MOST_SIDE = 128  # pixels of an image that are kept
_MOST_NUMBERS = 48  # of a table
_MOST_TEXTS, _LONGEST_TEXT = 12, 200
_COLOURS = (1, 3, 4)


def kind_of(values: Array) -> str:
    """What one sample is: `"text"`, `"image"`, `"signal"` or `"numbers"`.

    An image has two axes of at least six elements, and channels last or none. A signal has one axis of at least twelve
    elements, and at most six channels; what has more is an image of them.
    """
    if values.dtype.kind in "US":
        return "text"
    shape = values.shape
    if len(shape) == 3 and shape[-1] in _COLOURS and min(shape[:2]) >= _LEAST_SIDE:
        return "image"
    if len(shape) == 2 and min(shape) > _MOST_CHANNELS:
        return "image"
    if len(shape) in (1, 2) and shape[0] >= _LEAST_SIGNAL:
        return "signal"
    return "numbers"


def drawn(values: Array, label: str, marked: Sequence[int] = ()) -> Markup:
    """One sample as SVG, an image, a list of texts, or a table.

    Args:
        values: the sample, without the axis of the batch.
        label: what it is, for those who cannot see it.
        marked: the index of an element to mark.
    """
    values = np.abs(values) if values.dtype.kind == "c" else values
    kind = kind_of(values)
    if not values.size:
        return element("p", "no elements", class_="muted")
    if kind == "text":
        return _texts(values)
    if kind == "image":
        return _image(values, label)
    if kind == "signal":
        return _signal(values, label, marked)
    return _numbers(values, marked)


def _texts(values: Array) -> Markup:
    texts = [str(each) for each in values.ravel()[:_MOST_TEXTS]]
    texts = [text if len(text) <= _LONGEST_TEXT else text[:_LONGEST_TEXT] + " …" for text in texts]
    more = values.size - len(texts)
    items = [element("li", element("q", text)) for text in texts] + [_more(more)] * bool(more)
    return element("ul", *items, class_="texts")


def _more(count: int) -> Markup:
    return element("li", f"and {count:,} more", class_="muted")


def _image(values: Array, label: str) -> Markup:
    pixels = values if values.ndim == 3 else values[..., None]
    steps = [max(1, -(-side // _MOST_SIDE)) for side in pixels.shape[:2]]
    pixels = pixels[:: steps[0], :: steps[1]].astype(np.float64)
    finite = pixels[np.isfinite(pixels)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    if low >= 0 and high <= 255 and high > 1:
        low, high = 0.0, 255.0
    elif low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    scaled = (np.nan_to_num(pixels, nan=low, posinf=high, neginf=low) - low) / ((high - low) or 1.0)
    source = data_url(np.clip(np.rint(scaled * 255), 0, 255).astype(np.uint8))
    size = "x".join(map(str, values.shape))
    return element("img", src=source, alt=f"{label}, an image of {size}", class_="image")


def _signal(values: Array, label: str, marked: Sequence[int]) -> Markup:
    channels = values.reshape(len(values), -1)[:, :_MOST_CHANNELS].astype(np.float64)
    x = LinearScale(0.0, float(len(channels) - 1))
    y = LinearScale.over(channels.ravel(), margin=0.08)
    curves = [
        Curve(str(index), [(float(place), float(value)) for place, value in enumerate(_thinned(channel, len(channel)))],
              index)
        for index, channel in enumerate(channels.T)
    ]  # fmt: skip
    extra = Markup("")
    if marked and 0 <= marked[0] < len(channels):
        place = 1000 * x.share(float(marked[0]))
        extra = element("line", x1=place, x2=place, y1=0, y2=1000, class_="marked", vector_effect="non-scaling-stroke")
    words = f"{label}: a signal of {len(channels)} samples, from {np.nanmin(channels):.4g} to {np.nanmax(channels):.4g}"
    return chart(words, curves, (x, y), height=90, extra=extra)


def _thinned(channel: Array, length: int) -> Array:
    """The channel itself: `chart` draws some of many points, and the extremes of each stretch stay among them."""
    step = max(1, length // 300)
    if step == 1:
        return channel
    kept: Array = channel.copy()
    for start in range(0, length, step):
        part = channel[start : start + step]
        if np.isfinite(part).any():
            kept[start] = part[int(np.nanargmax(np.abs(part - np.nanmean(channel))))]
    return kept


def _numbers(values: Array, marked: Sequence[int]) -> Markup:
    flat = values.ravel()
    place = -1
    if len(marked) == values.ndim and all(0 <= i < size for i, size in zip(marked, values.shape, strict=True)):
        place = int(np.ravel_multi_index(tuple(marked), values.shape)) if values.ndim else 0
    items = [
        element("li", _text(value), class_="marked" if index == place else None)
        for index, value in enumerate(flat[:_MOST_NUMBERS])
    ]
    items += [_more(flat.size - _MOST_NUMBERS)] * (flat.size > _MOST_NUMBERS)
    return element("ol", *items, class_="numbers")


def _text(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float | np.floating) else str(value)
