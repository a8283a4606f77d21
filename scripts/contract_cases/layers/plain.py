"""Keras' own layers, with promises that a user states: kinds that no layer of kexport_layers promises, too."""

from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
from keras import ops

from contract_cases._configuration import Configuration, Draw, numbered
from kexport import contracts

_Made = tuple[str, Callable[..., Any], tuple[int, ...], tuple[Any, ...]]


def _kernel(draw: Draw, rows: int, columns: int) -> np.ndarray:
    return (draw.rng.normal(size=(rows, columns)) * draw.one((0.1, 1.0, 3.0))).astype("float32")


def _linear(draw: Draw) -> _Made:
    kernel = _kernel(draw, draw.whole(1, 12), draw.whole(1, 12))
    norm = float(np.linalg.norm(kernel.astype(float), 2))
    promises = (contracts.Linear(), contracts.Odd(), contracts.Lipschitz(norm, 2), contracts.Convex())
    return f"matrix {kernel.shape}", lambda x: x @ kernel, kernel.shape[:1], promises


def _odd(draw: Draw) -> _Made:
    kernel = _kernel(draw, draw.whole(1, 12), draw.whole(1, 6))
    promises = (contracts.Odd(), contracts.Bounded(-1.0, 1.0), contracts.Finite())
    return f"tanh of a matrix {kernel.shape}", lambda x: ops.tanh(x @ kernel), kernel.shape[:1], promises


def _even(draw: Draw) -> _Made:
    kernel = _kernel(draw, draw.whole(1, 8), draw.whole(1, 8))
    promises = (contracts.Even(), contracts.Convex(), contracts.Bounded(0.0, None))
    return f"squares of a matrix {kernel.shape}", lambda x: ops.square(x @ kernel), kernel.shape[:1], promises


def _monotone(draw: Draw) -> _Made:
    first, second = np.abs(_kernel(draw, draw.whole(1, 6), 8)), np.abs(_kernel(draw, 8, draw.whole(1, 3)))
    direction = tuple(int(way) for way in draw.rng.choice([-1, 1], len(first)))
    signs = np.array(direction, "float32")

    def made(x: Any) -> Any:
        return ops.sigmoid(ops.tanh((x * signs) @ first - 0.3) @ second - 1.0)

    promises = (contracts.Monotonic(direction), contracts.Bounded(0.0, 1.0))
    return f"monotone {direction}", made, (len(first),), promises


def _convex(draw: Draw) -> _Made:
    first, second = _kernel(draw, draw.whole(1, 8), 12), np.abs(_kernel(draw, 12, draw.whole(1, 3)))
    made = lambda x: ops.softplus(ops.relu(x @ first + 0.2) @ second)  # noqa: E731
    return f"convex of {len(first)} to {second.shape[1]}", made, (len(first),), (contracts.Convex(),)


def _causal(draw: Draw) -> _Made:
    taps, units, seed = draw.whole(2, 7), draw.whole(1, 4), draw.whole(0, 99)
    glorot = keras.initializers.GlorotUniform(seed)
    made = lambda x: keras.layers.Conv1D(units, taps, padding="causal", kernel_initializer=glorot)(x)  # noqa: E731
    return f"causal convolution of {taps} taps, {units} units, {seed}", made, (24, draw.whole(1, 3)), (
        contracts.Causal(),
    )  # fmt: skip


def _recurrent(draw: Draw) -> _Made:
    units = draw.whole(1, 4)
    layer = draw.one((keras.layers.GRU, keras.layers.SimpleRNN))
    made = lambda x: layer(units, return_sequences=True)(x)  # noqa: E731
    promises = (contracts.Causal(), contracts.Bounded(-1.0, 1.0))
    return f"{layer.__name__} of {units} units", made, (8, draw.whole(1, 3)), promises


def _pooled(draw: Draw) -> _Made:
    kernel, pool = _kernel(draw, draw.whole(1, 5), 4), draw.one((ops.mean, ops.max, ops.sum))
    made = lambda x: pool(ops.tanh(x @ kernel), axis=1)  # noqa: E731
    shape = (draw.whole(2, 24), len(kernel))
    return f"{pool.__name__} over {shape}", made, shape, (contracts.PermutationInvariant(1), contracts.Finite())


def _shares(draw: Draw) -> _Made:
    kernel = _kernel(draw, draw.whole(1, 10), draw.whole(2, 12))
    promises = (contracts.SumsTo(1.0), contracts.Bounded(0.0, 1.0), contracts.Finite())
    return f"softmax of a matrix {kernel.shape}", lambda x: ops.softmax(x @ kernel), kernel.shape[:1], promises


def _configurations() -> Iterator[Configuration]:
    draw = Draw(8)
    kinds = (_linear, _odd, _even, _monotone, _convex, _causal, _recurrent, _pooled, _shares)
    for index in range(36):
        words, made, shape, promises = kinds[index % len(kinds)](draw)
        domain = draw.one(("uniform(-2, 2)", "uniform(-10, 10)"))
        yield Configuration(("plain",), words, made, {"x": shape}, domain, seed=index, promises=promises)


CONFIGURATIONS = numbered(_configurations())
