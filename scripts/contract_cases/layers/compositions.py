"""Two or three layers behind each other: what is carried through is checked as the model's own promise."""

from collections.abc import Callable, Iterator
from typing import Any

import keras

from contract_cases._configuration import Configuration, Draw, numbered
from kexport_layers.bounded_output import BoundedOutput
from kexport_layers.conserved_sum import ConservedSum
from kexport_layers.convex_dense import ConvexDense
from kexport_layers.lipschitz_dense import LipschitzDense
from kexport_layers.low_pass_filter import LowPassFilter
from kexport_layers.monotonic_dense import MonotonicDense
from kexport_layers.permutation_pooling import PermutationPooling
from kexport_layers.rate_limiter import RateLimiter
from kexport_layers.scaled_output import ScaledOutput
from kexport_layers.simplex_output import SimplexOutput

_Shape = tuple[int | None, ...]
_Made = tuple[tuple[str, ...], str, Callable[..., Any], _Shape]


def _signal(draw: Draw) -> _Shape:
    return (draw.whole(50, 64), *draw.one(((), (2,))))


def _two_filters(draw: Draw) -> _Made:
    sizes = [2 * draw.whole(1, 5) + 1 for _ in range(2)]
    made = lambda x: LowPassFilter(sizes[1])(LowPassFilter(sizes[0])(x))  # noqa: E731
    return ("low_pass_filter", "low_pass_filter"), f"sizes {sizes}", made, _signal(draw)


def _scaled_filter(draw: Draw) -> _Made:
    size, scale, cutoff = 2 * draw.whole(2, 8) + 1, draw.real(-4, 4), draw.real(5, 40)
    made = lambda x: ScaledOutput(scale)(LowPassFilter(size, cutoff=cutoff, sample_rate=100.0)(x))  # noqa: E731
    return ("low_pass_filter", "scaled_output"), f"{size} taps at {cutoff}, scale {scale}", made, _signal(draw)


def _bounded_filter(draw: Draw) -> _Made:
    size, method = 2 * draw.whole(1, 8) + 1, draw.one(("sigmoid", "tanh"))
    made = lambda x: BoundedOutput(-2.0, 2.0, method)(LowPassFilter(size)(x))  # noqa: E731
    return ("low_pass_filter", "bounded_output"), f"size {size}, {method}", made, _signal(draw)


def _limited_filter(draw: Draw) -> _Made:
    size, step = 2 * draw.whole(1, 5) + 1, draw.real(0.05, 2)
    made = lambda x: RateLimiter(step)(LowPassFilter(size, padding="causal")(x))  # noqa: E731
    return ("low_pass_filter", "rate_limiter"), f"size {size}, step {step}", made, (draw.whole(24, 40),)


def _monotone(draw: Draw) -> _Made:
    units, outputs = draw.whole(2, 8), draw.whole(1, 4)
    made = lambda x: BoundedOutput(0.0, 1.0)(  # noqa: E731
        MonotonicDense(outputs)(MonotonicDense(units, activation="tanh")(x))
    )
    shape = (draw.whole(1, 8),)
    return ("monotonic_dense", "monotonic_dense", "bounded_output"), f"{units}, {outputs} of {shape}", made, shape


def _lipschitz(draw: Draw) -> _Made:
    units, bounds = [draw.whole(2, 10) for _ in range(2)], [draw.real(0.2, 3) for _ in range(2)]
    made = lambda x: LipschitzDense(units[1], bounds[1])(  # noqa: E731
        LipschitzDense(units[0], bounds[0], activation="relu")(x)
    )
    shape = (draw.whole(1, 10),)
    return ("lipschitz_dense", "lipschitz_dense"), f"{units} units, bounds {bounds} of {shape}", made, shape


def _scaled_lipschitz(draw: Draw) -> _Made:
    units, scale = draw.whole(2, 10), draw.real(-3, 3)
    made = lambda x: ScaledOutput(scale)(LipschitzDense(units)(x))  # noqa: E731
    shape = (draw.whole(1, 10),)
    return ("lipschitz_dense", "scaled_output"), f"{units} units, scale {scale} of {shape}", made, shape


def _convex(draw: Draw) -> _Made:
    units = draw.whole(2, 10)
    outputs, shape = draw.whole(1, 4), (draw.whole(1, 6),)
    made = lambda x: ConvexDense(outputs)(keras.layers.Dense(units)(x))  # noqa: E731
    return ("convex_dense",), f"behind {units} linear units, {outputs} of {shape}", made, shape


def _pooled_shares(draw: Draw) -> _Made:
    made = lambda x: SimplexOutput()(keras.layers.Dense(5)(PermutationPooling()(x)))  # noqa: E731
    shape = (draw.whole(2, 20), draw.whole(1, 6))
    return ("permutation_pooling", "simplex_output"), f"5 shares of {shape}", made, shape


def _conserved(draw: Draw) -> _Made:
    made = lambda x: ConservedSum()(LowPassFilter(5)(x), x)  # noqa: E731
    return ("low_pass_filter", "conserved_sum"), f"on {draw.whole(0, 99)}", made, (draw.whole(40, 80),)


_KINDS = (_two_filters, _scaled_filter, _bounded_filter, _limited_filter, _monotone, _lipschitz, _scaled_lipschitz,
          _convex, _pooled_shares, _conserved)  # fmt: skip


def _configurations() -> Iterator[Configuration]:
    draw = Draw(9)
    for seed in range(3 * len(_KINDS)):
        layers, words, made, shape = _KINDS[seed % len(_KINDS)](draw)
        domain = draw.one(("uniform(-2, 2)", "uniform(-10, 10)"))
        yield Configuration(layers, words, made, {"x": shape}, domain, draw.policy(), seed, draw.one((None, 0.5)))


CONFIGURATIONS = numbered(_configurations())
