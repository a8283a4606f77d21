"""How much a faulty artifact differs from the healthy one: at corners of the domain, and on how much of it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from fault_cases._family import Fault
from kexport import runtimes
from kexport.bundle.domain import Domain, parse
from kexport.bundle.folder import Bundle
from kexport.bundle.limits import OutputLimit
from kexport.bundle.signature import Array
from kexport.parity import golden_inputs
from kexport.parity.tolerance import FLOOR_MULTIPLE

EVALUATIONS = 100_000
SECONDS = 60.0  # what the search may take on a model
MULTIPLE = 4.0  # an effect above so many noise floors must be found ...
MEASURE = 1e-4  # ... where it is at a corner, or on this share of the domain
_BATCH = 1000
_LENGTHS = (16, 7, 33, 1)
_VERTICES = 1000
_SEED = 4
_PATIENCE = 20.0  # seconds for the samples of a slow model

Feeds = dict[str, Array]
Results = list[Array] | None  # None when the runtime refuses the inputs


@dataclass(frozen=True)
class Effect:
    """What a fault does.

    Attributes:
        corner: the largest effect at a corner of the domain, in noise floors; infinite for another whole number, NaN,
            dtype or shape.
        sampled: likewise of the random samples.
        share: the share of the random samples on which it exceeds `MULTIPLE` noise floors.
        samples: how many there were.
        example: the largest effect on the fault's own example; None where it has none.
        seconds: that the healthy artifact took for 100,000.
    """

    corner: float
    sampled: float
    share: float
    samples: int
    seconds: float
    example: float | None = None

    @property
    def must_be_found(self) -> bool:
        """Whether the search has to find it."""
        return self.seconds <= SECONDS and (self.corner > MULTIPLE or self.share >= MEASURE)

    def to_json(self) -> dict[str, Any]:
        """For the table; an infinite effect is text."""
        own = asdict(self) | {"must_be_found": self.must_be_found}
        return {key: "inf" if value == np.inf else value for key, value in own.items()}


class Meter:
    """Compares faulty artifacts of one healthy bundle with its own, in the raw runtime.

    Args:
        healthy: the bundle.
        samples: how many to draw at random.
    """

    def __init__(self, healthy: Bundle, samples: int = EVALUATIONS) -> None:
        self.healthy = healthy
        self.samples = samples
        self.domains = {name: parse(text) for name, text in healthy.manifest.domains.items()}
        self._known: dict[str, tuple[list[Results], list[Results], float]] = {}

    def effect(self, fault: Fault, faulty: Bundle) -> Effect:
        """The effect of a fault.

        Raises:
            AssertionError: it has none: then it is no fault.
        """
        at_corners, at_random, seconds = self._results_of_healthy(fault.format)
        run = opened(faulty, fault.format)
        limits = self.healthy.manifest.limits
        own = [each for feeds in self._corners() for each in [run(feeds)]]
        corner = max(float(_effect(limits, *pair).max()) for pair in zip(at_corners, own, strict=True))
        largest, above, count = 0.0, 0, 0
        for healthy, feeds in zip(at_random, self._random(), strict=False):
            found = _effect(limits, healthy, run(feeds))
            largest, above = max(largest, float(found.max())), above + int((found > MULTIPLE).sum())
            count += len(found)
        example = self._on_example(fault, run) if fault.example else None
        assert max(corner, largest, example or 0.0) > 0, f"{fault.name} has no effect"
        return Effect(corner, largest, above / count, count, seconds, example)

    def _on_example(self, fault: Fault, run: Any) -> float:
        inputs = self.healthy.signature.inputs
        feeds = {spec.name: np.asarray(fault.example[spec.name], spec.numpy_dtype) for spec in inputs}
        healthy = opened(self.healthy, fault.format)(feeds)
        return float(_effect(self.healthy.manifest.limits, healthy, run(feeds)).max())

    def _results_of_healthy(self, format_name: str) -> tuple[list[Results], list[Results], float]:
        if format_name not in self._known:
            run = opened(self.healthy, format_name)
            at_corners = [run(feeds) for feeds in self._corners()]
            at_random, count, spent = [], 0, 0.0
            for feeds in self._random():
                began = time.perf_counter()
                at_random.append(run(feeds))
                spent += time.perf_counter() - began
                count += _size(feeds)
                if spent > _PATIENCE:
                    break  # a slow model: fewer samples, and the seconds of all by proportion
            self._known[format_name] = at_corners, at_random, spent * EVALUATIONS / count
        return self._known[format_name]

    def _corners(self) -> Iterator[Feeds]:
        """What the product itself knows as corners, and random vertices of the domain."""
        signature = self.healthy.signature
        for label, feeds in golden_inputs.plan(signature, self.domains, lambda feeds: None):
            if not label.startswith("random"):
                yield feeds
        rng = np.random.default_rng(_SEED)
        for length in self._lengths():
            yield _drawn(signature, _vertices(self.domains), rng, _VERTICES // len(self._lengths()), length)

    def _random(self) -> Iterator[Feeds]:
        rng, lengths = np.random.default_rng(_SEED + 1), self._lengths()
        for index in range(self.samples // _BATCH):
            yield _drawn(self.healthy.signature, self.domains, rng, _BATCH, lengths[index % len(lengths)])

    def _lengths(self) -> tuple[int, ...]:
        dynamic = any(None in spec.shape[1:] for spec in self.healthy.signature.inputs)
        return _LENGTHS if dynamic else (1,)


@dataclass(frozen=True)
class _Vertices:
    """A domain of the ends of another, and of what lies inside at 0."""

    values: tuple[float, ...]

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        return rng.choice(np.asarray(self.values), shape)


def _vertices(domains: Mapping[str, Domain]) -> dict[str, Any]:
    return {name: _Vertices(tuple(domain.corners())) for name, domain in domains.items()}


def _drawn(signature: Any, domains: Mapping[str, Any], rng: np.random.Generator, batch: int, length: int) -> Feeds:
    feeds = {}
    for spec in signature.inputs:
        shape = (batch, *(length if size is None else size for size in spec.shape[1:]))
        feeds[spec.name] = np.asarray(domains[spec.name].sample(rng, shape)).astype(spec.numpy_dtype)
    return feeds


def one_batch(bundle: Bundle, batch: int) -> Feeds:
    """One random batch of the domain, as people draw it for a test."""
    domains = {name: parse(text) for name, text in bundle.manifest.domains.items()}
    return _drawn(bundle.signature, domains, np.random.default_rng(0), batch, _LENGTHS[0])


def opened(bundle: Bundle, format_name: str) -> Any:
    """Calls an artifact in the raw runtime; None where that refuses."""
    runtime = next(runtime for runtime in runtimes.every() if runtime.reads == format_name)
    (artifact,) = bundle.artifacts_of(format_name)
    opened = runtime.open(bundle.path / artifact.path, bundle.signature).opened

    def run(feeds: Feeds) -> Results:
        try:
            return [np.array(value) for value in opened.run(list(feeds.values()))]
        except Exception:  # noqa: BLE001  runtimes raise anything; to fail is an effect too
            return None

    return run


def _size(feeds: Feeds) -> int:
    return len(next(iter(feeds.values())))


def _effect(limits: tuple[OutputLimit, ...], healthy: Results, faulty: Results) -> Array:
    """The largest effect on each sample, in noise floors."""
    assert healthy is not None, "the healthy artifact fails"
    count = len(healthy[0])
    if faulty is None:
        return np.full(count, np.inf)
    worst = np.zeros(count)
    for limit, own, other in zip(limits, healthy, faulty, strict=True):
        if other.dtype != own.dtype or other.shape != own.shape:
            return np.full(count, np.inf)
        worst = np.maximum(worst, _distances(limit, own, other).reshape(count, -1).max(axis=1))
    return worst


def _distances(limit: OutputLimit, own: Array, other: Array) -> Array:
    if own.dtype.kind != "f":
        return np.where(own == other, 0.0, np.inf)
    with np.errstate(invalid="ignore", over="ignore"):
        apart = np.abs(own.astype(np.float64) - other.astype(np.float64))
    same = (own == other) | (np.isnan(own) & np.isnan(other))
    apart = np.where(same, 0.0, np.where(np.isfinite(own) & np.isfinite(other), apart, np.inf))
    # A floor of a few operations may be 0 by luck: the least one is what the least limit is made of.
    return np.asarray(apart / limit.scale / (limit.limit / FLOOR_MULTIPLE))
