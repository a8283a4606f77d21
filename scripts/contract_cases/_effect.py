"""How far a planted break lies beyond what is promised, in multiples of what float arithmetic may cause there.

Each statement is written here a second time, from its definition and apart from the contracts, on samples that are
given or drawn: so that a break which is too small to be told from rounding is refused, whatever a contract says of it.
The slack is the largest that anybody could claim: every output in the statement is off by its whole limit, in the worst
direction.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from contract_cases._broken import Broken
from kexport.bundle.domain import parse
from kexport.bundle.folder import Bundle
from kexport.contracts import Slack
from kexport.runtimes import Session

LEAST = 4.0
_SAMPLES = 20_000
_SEED = 7
Array = np.ndarray
Feeds = list[Array]


@dataclass(frozen=True)
class Model:
    """The broken model in one runtime.

    Attributes:
        case: what is planted.
        session: the artifact.
        slack: what float arithmetic may add.
    """

    case: Broken
    session: Session
    slack: Slack

    def __call__(self, *feeds: Array) -> Array:
        """The output, as float64."""
        specs = self.session.signature.inputs
        named = {spec.name: each.astype(spec.numpy_dtype) for spec, each in zip(specs, feeds, strict=True)}
        (values,) = self.session(named).values()
        return values.astype(np.float64)

    def loss(self, *values: Array) -> Array:
        """What one element may be off, of each sample."""
        return self.slack.of(self.session.signature.outputs[0].name, *values)


def effect(case: Broken, bundle: Bundle, session: Session, slack: Slack) -> dict[str, float]:
    """The largest excess in slacks, and both.

    Raises:
        AssertionError: it is less than `LEAST` slacks: then it is no break that anything has to find.
    """
    model = Model(case, session, slack)
    excess, limit = _STATEMENTS[case.kind](model, case.contract(), _samples(case))
    with np.errstate(invalid="ignore", divide="ignore"):
        ratios = np.where(np.isnan(excess), np.inf, excess / np.maximum(limit, 1e-300))
    worst = int(np.argmax(ratios))
    found = {"ratio": float(ratios[worst]), "excess": float(excess[worst]), "slack": float(limit[worst])}
    assert found["ratio"] >= LEAST, f"{case.name} is no break: {found}"
    return {key: value if math.isfinite(value) else 1e300 for key, value in found.items()}


def _samples(case: Broken) -> Feeds:
    """The example of the case, or random samples, elements at the ends among them."""
    rng = np.random.default_rng(_SEED)
    if case.example is not None:
        return [np.asarray(each, np.float32) for each in case.example(rng)]
    return draw(case, rng, _SAMPLES)


def draw(case: Broken, rng: np.random.Generator, count: int) -> Feeds:
    """Samples of the domain."""
    domain = parse(case.domain)
    feeds = []
    for shape in case.shapes:
        inside = domain.sample(rng, (count, *shape))
        ends = rng.choice([min(domain.corners()), max(domain.corners())], inside.shape)
        share = rng.choice([0.0, 0.0, 0.1, 1.0], (count, *[1] * len(shape)))
        feeds.append(np.where(rng.random(inside.shape) < share, ends, inside).astype(np.float32))
    return feeds


def _largest(values: Array) -> Array:
    """Of each sample; NaN stays."""
    return np.asarray(values.reshape(len(values), -1).max(axis=1))


def _scaled(model: Model, contract: Any, feeds: Feeds) -> tuple[Array, Array]:
    values = model(*feeds)
    return _largest(np.abs(values - np.asarray(contract.factor) * feeds[0].astype(np.float64))), model.loss(values)


def _linear(model: Model, contract: Any, feeds: Feeds) -> tuple[Array, Array]:
    """`f((x + x') / 2) = (f(x) + f(x')) / 2`, and `f(0) = 0`."""
    first, second, middle = _halves(feeds)
    a, b, c = model(*first), model(*second), model(*middle)
    zero = model(*[np.zeros_like(each) for each in middle])
    bent, off = _largest(np.abs(c - (a + b) / 2)), _largest(np.abs(zero))
    return np.maximum(bent / 2, off), model.loss(a, b, c)


def _halves(feeds: Feeds) -> tuple[Feeds, Feeds, Feeds]:
    """First and second half of the samples, and what lies between, all exact."""
    count = len(feeds[0]) // 2
    first, second = [_round(each[:count]) for each in feeds], [_round(each[count:]) for each in feeds]
    return first, second, [(a + b) / 2 for a, b in zip(first, second, strict=True)]


def _round(values: Array) -> Array:
    return np.asarray(np.round(values * 2**18) / 2**18, np.float32)


def _linear_time_invariant(model: Model, contract: Any, feeds: Feeds) -> tuple[Array, Array]:
    values, signal = model(*feeds), feeds[0].astype(np.float64)
    expected = np.apply_along_axis(lambda each: np.convolve(each, contract.taps), 1, signal)
    expected = expected[:, contract.advance :][:, : values.shape[1]]
    skip = slice(contract.skip[0], values.shape[1] - contract.skip[1])
    return _largest(np.abs(values - expected)[:, skip]), model.loss(values)


def _low_pass(model: Model, contract: Any, feeds: Feeds) -> tuple[Array, Array]:
    """The gain of a sine, by least squares on the inner half of the signal, at the frequency that the hint names."""
    shape, amplitude = model.case.shapes[0], max(parse(model.case.domain).corners())
    time = np.arange(shape[0] or 0)
    angle = 2 * np.pi * model.case.hint / contract.sample_rate * time
    waves = np.stack([np.cos(angle), np.sin(angle)])
    signals = (amplitude * waves).reshape(2, -1, *[1] * (len(shape) - 1)) * np.ones(shape)
    values = model(signals.astype(np.float32)).reshape(2, len(time), -1)[:, :, 0]
    inner = slice(len(time) // 4, len(time) - len(time) // 4)
    phasors = [np.linalg.lstsq(waves[:, inner].T, each[inner], rcond=None)[0] for each in values]
    gain = float(np.mean([np.hypot(*each) for each in phasors])) / amplitude
    edge = lambda decibels: 10.0 ** (-decibels / 20)  # noqa: E731
    if model.case.hint == 0:
        excess = abs(gain - 1)
    elif model.case.hint >= contract.stop_band:
        excess = gain - edge(contract.attenuation)
    else:
        excess = max(edge(contract.ripple) - gain, gain - 1 / edge(contract.ripple))
    # A least-squares fit has a gain of 2 / count for each of count errors.
    return np.array([excess]), 2 * model.loss(values)[:1] / amplitude


def _causal(model: Model, contract: Any, feeds: Feeds) -> tuple[Array, Array]:
    """Two signals that differ from a place on only: so must the outputs."""
    count, length = len(feeds[0]) // 2, feeds[0].shape[1]
    places = np.random.default_rng(_SEED).integers(1, length, count)
    past = np.arange(length) < places[:, None]
    wide = past.reshape(count, length, *[1] * (feeds[0].ndim - 2))
    a = model(*[each[:count] for each in feeds])
    b = model(*[np.where(wide, each[:count], each[count:]) for each in feeds])
    return _largest(np.where(past.reshape(count, length, *[1] * (a.ndim - 2)), np.abs(a - b), 0.0)), 2 * model.loss(
        a, b
    )


def _bounded(model: Model, contract: Any, feeds: Feeds) -> tuple[Array, Array]:
    values = model(*feeds)
    low = -np.inf if contract.low is None else contract.low
    high = np.inf if contract.high is None else contract.high
    return _largest(np.maximum(low - values, values - high)), model.loss(values)


def _monotonic(model: Model, contract: Any, feeds: Feeds) -> tuple[Array, Array]:
    """One feature goes up by any step: the outputs must go the way that is promised."""
    x = feeds[0]
    rng, features = np.random.default_rng(_SEED), x.shape[-1]
    if model.case.example is not None:
        count = len(x) // 2
        x, moved = x[:count], x[count:]
        places = np.argmax(np.abs(moved - x).reshape(count, features), axis=1)
    else:
        places = rng.integers(0, features, len(x))
        moved, top = x.copy(), max(parse(model.case.domain).corners())
        rows = np.arange(len(x))
        moved[rows, places] += ((top - x[rows, places]) * rng.uniform(0, 1, len(x))).astype(np.float32)
    ways = np.broadcast_to(np.asarray(contract.direction, float), (features,))[places]
    a, b = model(x), model(moved)
    fall = (a - b).reshape(len(a), -1) * ways[:, None]
    return fall.max(axis=1), 2 * model.loss(a, b)


def _sums_to(model: Model, contract: Any, feeds: Feeds) -> tuple[Array, Array]:
    values = model(*feeds)
    return _largest(np.abs(values.sum(axis=contract.axis) - contract.total)), values.shape[contract.axis] * model.loss(
        values
    )


def _conserves(model: Model, contract: Any, feeds: Feeds) -> tuple[Array, Array]:
    """The sum is that of the input that the contract speaks of: the last one."""
    values, wanted = model(*feeds), feeds[-1].astype(np.float64).sum(axis=contract.axis)
    return _largest(np.abs(values.sum(axis=contract.axis) - wanted)), values.shape[contract.axis] * model.loss(values)


def _satisfies(model: Model, contract: Any, feeds: Feeds) -> tuple[Array, Array]:
    values = model(*feeds)
    rows = np.asarray(contract.A, float)
    apart = values @ rows.T - np.asarray(contract.b, float)
    apart = apart if contract.relation == "at_most" else np.abs(apart)
    limits = model.loss(values)[:, None] * np.abs(rows).sum(axis=1)
    flat = apart.reshape(len(values), -1)
    worst = np.argmax(flat / np.tile(limits, (1, flat.shape[1] // len(rows))), axis=1)
    picked = np.arange(len(flat))
    return flat[picked, worst], np.tile(limits, (1, flat.shape[1] // len(rows)))[picked, worst]


def _lipschitz(model: Model, contract: Any, feeds: Feeds) -> tuple[Array, Array]:
    order = {"inf": np.inf}.get(contract.norm, contract.norm)
    count = len(feeds[0]) // 2
    first, second = [each[:count] for each in feeds], [each[count:] for each in feeds]
    a, b = model(*first), model(*second)

    def size(values: Array) -> Array:
        return np.linalg.norm(values.reshape(count, -1), order, axis=1)

    moves = [(y.astype(np.float64) - x).reshape(count, -1) for x, y in zip(first, second, strict=True)]
    steps = size(np.concatenate(moves, axis=1))
    elements = a[0].size
    share = {1: elements, 2: math.sqrt(elements), np.inf: 1}[order]
    return size(b - a) - contract.constant * steps, 2 * share * model.loss(a, b)


def _convex(model: Model, contract: Any, feeds: Feeds) -> tuple[Array, Array]:
    first, second, middle = _halves(feeds)
    a, b, c = model(*first), model(*second), model(*middle)
    return _largest(c - (a + b) / 2), 2 * model.loss(a, b, c)


def _even(model: Model, contract: Any, feeds: Feeds) -> tuple[Array, Array]:
    a, b = model(*feeds), model(*[-each for each in feeds])
    return _largest(np.abs(a - b)), 2 * model.loss(a, b)


def _odd(model: Model, contract: Any, feeds: Feeds) -> tuple[Array, Array]:
    a, b = model(*feeds), model(*[-each for each in feeds])
    return _largest(np.abs(a + b)), 2 * model.loss(a, b)


def _permutation_invariant(model: Model, contract: Any, feeds: Feeds) -> tuple[Array, Array]:
    rng = np.random.default_rng(_SEED)
    count = feeds[0].shape[contract.axis]
    a, apart, limit = model(*feeds), [], []
    for order in (np.arange(count)[::-1], rng.permutation(count)):
        b = model(*[np.take(each, order, contract.axis) for each in feeds])
        apart.append(_largest(np.abs(a - b)))
        limit.append(2 * model.loss(a, b))
    return np.concatenate(apart), np.concatenate(limit)


def _rate_limited(model: Model, contract: Any, feeds: Feeds) -> tuple[Array, Array]:
    values = model(*feeds)
    return _largest(np.abs(np.diff(values, axis=contract.axis)) - contract.step), 2 * model.loss(values)


def _finite(model: Model, contract: Any, feeds: Feeds) -> tuple[Array, Array]:
    values = model(*feeds)
    return np.where(np.isfinite(values).reshape(len(values), -1).all(axis=1), 0.0, np.inf), model.loss(values)


_STATEMENTS: dict[str, Callable[[Model, Any, Feeds], tuple[Array, Array]]] = {
    name[1:]: function
    for name, function in globals().copy().items()
    if name.startswith("_") and callable(function) and getattr(function, "__module__", "") == __name__
}
