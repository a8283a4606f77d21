"""Small changes of one tensor of a model, each made, measured and undone."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

_ELEMENTS, _SWAPS = 2, 1
HALF = 0.5


@dataclass(frozen=True)
class Change:
    """One change.

    Attributes:
        tensor: the path of the weight, or layer and attribute: `"codes/vocabulary"`.
        kind: what is done.
        where: the numbers of what is changed, per axis; empty for all of it.
        retrace: whether it is a part of the graph, so that the graph must be traced anew.
        made: a context in which it is made.
    """

    tensor: str
    kind: str
    where: tuple[tuple[int, ...], ...]
    retrace: bool
    made: Callable[[], Any]


def every(model: Any, seed: int = 7) -> list[Change]:
    """All changes of a model."""
    rng = np.random.default_rng(seed)
    found: list[Change] = []
    layers = [layer for layer in model._flatten_layers(include_self=False) if layer.path]  # the rest are parts of these
    # A Normalization computes with copies of its weights, which are changed as what they are.
    copied = {id(variable) for layer in layers if type(layer).__name__ == "Normalization" for variable in layer.weights}
    for variable in model.weights:
        value = np.asarray(variable)
        if value.dtype.kind == "f" and value.size and id(variable) not in copied:
            found += [_of_variable(variable, *each) for each in _values(value, rng)]
    for layer in layers:
        found += _of_layer(layer, rng)
    return found


def _values(value: Any, rng: np.random.Generator) -> Iterator[tuple[str, tuple[tuple[int, ...], ...], Any]]:
    """Kind, place and new value of each change of an array."""
    wide = value.astype(np.float64)
    scale = float(np.abs(wide).max()) or 1.0
    if wide.any():
        yield "x 1.01", (), wide * 1.01
    for flat in rng.permutation(wide.size)[:_ELEMENTS]:
        place = np.unravel_index(int(flat), wide.shape) if wide.ndim else ()
        changed = wide.copy()
        changed[place] += HALF * scale
        yield "one element", tuple((int(each),) for each in place), changed
    axes = [axis for axis, size in enumerate(wide.shape) if size > 1]
    for axis in axes[:1] + axes[-1:] if len(axes) > 1 else axes:
        for _ in range(_SWAPS):
            one, other = (int(each) for each in rng.permutation(wide.shape[axis])[:2])
            order = np.arange(wide.shape[axis])
            order[[one, other]] = order[[other, one]]
            changed = np.take(wide, order, axis)
            if np.abs(changed - wide).max() > 0.01 * scale:
                where = tuple((one, other) if each == axis else () for each in range(wide.ndim))
                yield "two rows swapped", where, changed


def _of_variable(variable: Any, kind: str, where: tuple[tuple[int, ...], ...], changed: Any) -> Change:
    @contextlib.contextmanager
    def made() -> Iterator[None]:
        before = np.asarray(variable).copy()
        variable.assign(changed.astype(before.dtype))
        try:
            yield
        finally:
            variable.assign(before)

    return Change(variable.path, kind, where, False, made)


def _of_layer(layer: Any, rng: np.random.Generator) -> list[Change]:
    kind = type(layer).__name__
    if kind == "Discretization":
        bins = [float(each) for each in layer.bin_boundaries]
        gaps = np.diff(bins) if len(bins) > 1 else [1.0]
        return [_of_bins(layer, bins, number, HALF * min(gaps)) for number in range(len(bins))]
    if kind in ("IntegerLookup", "StringLookup", "TextVectorization"):
        return _of_vocabulary(layer)
    if kind == "Normalization":
        return [
            _of_attribute(layer, name, *each)
            for name in ("mean", "variance")
            for each in _values(np.asarray(getattr(layer, name)), rng)
        ]
    return []


def _of_bins(layer: Any, bins: list[float], number: int, by: float) -> Change:
    @contextlib.contextmanager
    def made() -> Iterator[None]:
        layer.bin_boundaries = [*bins[:number], bins[number] + by, *bins[number + 1 :]]
        try:
            yield
        finally:
            layer.bin_boundaries = bins

    return Change(f"{layer.path}/bin_boundaries", "one bin edge", ((number,),), True, made)


def _of_vocabulary(layer: Any) -> list[Change]:
    lookup = getattr(layer, "_lookup_layer", layer)
    words = list(lookup.get_vocabulary(include_special_tokens=False))
    found = []
    for number in range(len(words)):
        other = max(words) + 1 if isinstance(words[0], (int, np.integer)) else f"{words[number]}x"
        replaced = [*words[:number], other, *words[number + 1 :]]
        found.append(_of_words(layer, words, replaced, "one vocabulary entry", (number,)))
    if len(words) > 1:
        swapped = [words[1], words[0], *words[2:]]
        found.append(_of_words(layer, words, swapped, "two rows swapped", (0, 1)))
    return found


def _of_words(layer: Any, words: list[Any], changed: list[Any], kind: str, where: tuple[int, ...]) -> Change:
    @contextlib.contextmanager
    def made() -> Iterator[None]:
        lookup = getattr(layer, "_lookup_layer", layer)
        configured = lookup.input_vocabulary
        layer.set_vocabulary(changed)
        lookup.input_vocabulary = changed
        try:
            yield
        finally:
            layer.set_vocabulary(words)
            lookup.input_vocabulary = configured

    return Change(f"{layer.path}/vocabulary", kind, (where,), True, made)


def _of_attribute(layer: Any, name: str, kind: str, where: tuple[tuple[int, ...], ...], changed: Any) -> Change:
    import keras

    @contextlib.contextmanager
    def made() -> Iterator[None]:
        before = getattr(layer, name)
        setattr(layer, name, keras.ops.convert_to_tensor(changed, before.dtype))
        try:
            yield
        finally:
            setattr(layer, name, before)

    return Change(f"{layer.path}/{name}", kind, where, True, made)
