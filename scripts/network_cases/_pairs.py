"""Ordered pairs of layers, and which of them fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from network_cases._catalogue import Dice, Draw, Shape
from network_cases._more_layers import ALL
from network_cases._network import OF_LISTS, SPREAD, Layer, Network, Step

#: Where a pair begins: without the batch; `None` is a size that is not fixed.
STARTS: tuple[Shape, ...] = ((12,), (10, 4), (None, 4), (9, 8, 4), (None, None, 4), (4, 6, 5, 3))
_TRIES, _KINDS_DRAWN = 120, 2000
_AFTER: dict[tuple[str, Shape], Shape | None] = {}


@dataclass(frozen=True)
class Pair:
    """Two layers, the second on what the first makes of its input.

    Attributes:
        start: the shape that the first takes.
        first: its name, and that of a layer in it.
        second: likewise.
    """

    start: Shape
    first: str
    second: str

    @property
    def name(self) -> str:
        """The pair in words."""
        sizes = " x ".join("?" if size is None else str(size) for size in self.start)
        return f"{self.first}, {self.second} on {sizes}"

    def network(self, seed: int) -> Network | None:
        """The layers with drawn settings and random weights; None where the second does not fit."""
        dice = Dice(np.random.default_rng([seed, *self.name.encode()]))
        for _ in range(8):
            first = _drawn(dice, self.start, self.first)
            shape = None if first is None else _after(first, self.start)
            second = None if shape is None else _drawn(dice, shape, self.second)
            if first is not None and shape is not None and second is not None and _after(second, shape) is not None:
                entry = Step(Layer("Input", {"shape": self.start, "name": "x"}))
                return Network(seed, (entry, _step(first, 0), _step(second, 1)), (2,))
        return None


def every() -> list[Pair]:
    """All pairs, also those of which the second does not fit."""
    everything = sorted({name for rank in ALL for name in _draws(rank)})
    return [Pair(start, one, other) for start in STARTS for one in _draws(len(start)) for other in everything]


@cache
def _draws(rank: int) -> Mapping[str, tuple[Draw, ...]]:
    """The names of the layers on tensors of a rank, each with what draws it."""
    dice = Dice(np.random.default_rng(0))
    shapes = [shape for shape in STARTS if len(shape) == rank]
    found: dict[str, dict[Draw, None]] = {}
    for _ in range(_KINDS_DRAWN if rank in ALL else 0):
        draw = dice.of(*ALL[rank])
        layer = draw(dice, dice.of(*shapes))
        if layer is not None:
            found.setdefault(_label(layer), {})[draw] = None
    return {name: tuple(found[name]) for name in sorted(found)}


def _label(layer: Layer) -> str:
    inner = layer.options.get("layer")
    return f"{layer.name}({inner.name})" if isinstance(inner, Layer) else layer.name


def _drawn(dice: Dice, shape: Shape, label: str) -> Layer | None:
    """A layer of this name that can be on a tensor of this shape."""
    draws = _draws(len(shape)).get(label, ())
    for _ in range(_TRIES if draws else 0):
        layer = dice.of(*draws)(dice, shape)
        if layer is not None and _label(layer) == label:
            return layer
    return None


def _step(layer: Layer, number: int) -> Step:
    """The layer on a tensor, which attention and merges are on twice."""
    return Step(layer, (number, number) if layer.name in OF_LISTS + SPREAD else (number,))


def _after(layer: Layer, shape: Shape) -> Shape | None:
    """The shape of what the layer gives; None where Keras refuses it, or a size is 0."""
    key = (layer.text(), shape)
    if key not in _AFTER:
        _AFTER[key] = _found(layer, shape)
    return _AFTER[key]


def _found(layer: Layer, shape: Shape) -> Shape | None:
    import keras

    try:
        step = _step(layer, 0)
        result = tuple(step.apply([keras.Input(shape)] * len(step.inputs)).shape[1:])
    except Exception:  # noqa: BLE001  whatever Keras raises, the layer does not fit
        return None
    return None if 0 in result else result
