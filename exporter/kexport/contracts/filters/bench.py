"""The response of a filter to impulses, one at a time, and the taps that explain its response to any signals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kexport.bundle.signature import Array
from kexport.contracts.filters.signals import Signal, ends, require_same_shape
from kexport.contracts.protocol import Experiment
from kexport.parity.space import Form, Population

_NEGLIGIBLE = 1e-4  # of the largest tap, among taps that were measured


class Bench:
    """Feeds signals of one length into a function, all other inputs being the same.

    Args:
        experiment: the function, and the space of its inputs.
        signal: the input that is varied.
        form: the shapes of the samples.
        rng: draws the other inputs.

    Attributes:
        experiment: as given.
        signal: as given.
        low: the smallest value of each element of the signal, float64 of the shape of one sample.
        high: the largest value of each element.
        length: the length of the signals, in samples.
    """

    def __init__(self, experiment: Experiment, signal: Signal, form: Form, rng: np.random.Generator) -> None:
        self.experiment, self.signal = experiment, signal
        self._others = experiment.space.random(rng, 1, form)
        self.low, self.high = ends(experiment.space, signal.name, form[signal.name])
        self.length = signal.length(form)

    def population(self, rows: Array, *, project: bool = True) -> Population:
        """Samples with these signals.

        Args:
            rows: float64 of shape `(samples, ...)`, the rest as the input's shape.
            project: bring the samples into the domain.
        """
        count, name = len(rows), self.signal.name
        samples = {other: np.repeat(values, count, axis=0) for other, values in self._others.items()}
        if project:
            return self.experiment.space.project({**samples, name: rows})
        dtype = self.experiment.function.spec(name).numpy_dtype
        return {**samples, name: (rows if dtype.kind == "f" else np.rint(rows)).astype(dtype)}

    def responses(self, population: Population) -> tuple[Array, Array]:
        """Signals and outputs with time as the last axis, float64, of shape `(samples, channels, time)`."""
        x, y = population[self.signal.name].astype(np.float64), self.experiment.function(population)
        require_same_shape("filter", x, y, self.signal.axis)
        return self._last(x), self._last(y)

    def _last(self, values: Array) -> Array:
        moved = np.moveaxis(values, self.signal.axis, -1)
        return moved.reshape(len(values), -1, moved.shape[-1])

    def impulses(self, places: Sequence[int] | Array) -> tuple[Array, Array]:
        """The responses to one impulse at each place, in all channels, per unit of the impulse.

        The impulse goes from the value of the domain nearest to 0 to the end farthest from it.

        Returns:
            Float64 of shape `(places, channels, time)`, NaN where the domain leaves no room for an impulse; and the
            heights of the impulses, of shape `(places, channels)`.
        """
        base = np.clip(0.0, self.low, self.high)
        far = np.where(np.abs(self.high - base) >= np.abs(self.low - base), self.high, self.low)
        time = np.moveaxis(np.empty(base.shape, bool), self._axis(), -1)
        rows = np.repeat(base[None], len(places) + 1, axis=0)
        for row, place in enumerate(places):
            at = np.zeros(time.shape, bool)
            at[..., place] = True
            rows[row + 1] = np.where(np.moveaxis(at, -1, self._axis()), far, base)
        x, y = self.responses(self.population(rows))
        sizes = np.stack([x[row + 1, :, place] - x[0, :, place] for row, place in enumerate(places)])
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(sizes[..., None] != 0, (y[1:] - y[0]) / sizes[..., None], np.nan), sizes

    def _axis(self) -> int:
        """The time axis of one sample."""
        return self.signal.axis - 1 if self.signal.axis > 0 else self.signal.axis


def measured_taps(bench: Bench, count: int, advance: int) -> Array:
    """Each tap as measured by impulses, the mean over places and channels; NaN where no impulse reaches the output."""
    places = np.unique(np.linspace(0, bench.length - 1, min(bench.length, 512)).astype(int))
    responses, _ = bench.impulses(places)
    taps = np.full(count, np.nan)
    for k in range(count):
        at = places - advance + k
        seen = (at >= 0) & (at < responses.shape[-1])
        values = responses[np.flatnonzero(seen), :, at[seen]]
        values = values[np.isfinite(values)]
        if values.size:
            taps[k] = values.mean()
    return taps


def fitted_taps(bench: Bench, rng: np.random.Generator, skip: tuple[int, int], signals: int = 48) -> tuple[Array, int]:
    """The filter that best explains the responses to random signals, by least squares; and its advance.

    For a signal of N samples and an output of M samples, all `N + M - 1` taps that can join the two are fitted.

    Args:
        bench: the bench to measure on.
        rng: draws the signals.
        skip: how many output samples to ignore at the start and at the end.
        signals: how many to draw.

    Raises:
        ValueError: there is no finite output to fit.
    """
    shape = (signals, *bench.low.shape)
    share = np.where(rng.random(shape) < 0.5, rng.random(shape), rng.integers(0, 2, shape))
    x, y = bench.responses(bench.population(bench.low + (bench.high - bench.low) * share))
    length, count = x.shape[-1], y.shape[-1]
    advance, taps = length - 1, length + count - 1
    used = range(skip[0], count - skip[1])
    padded = np.pad(x.reshape(-1, length), ((0, 0), (count - 1, count - 1)))
    # The samples that output n sees, from n + advance back to n + advance - (taps - 1), at their places after padding.
    windows = np.stack([padded[:, n : n + taps][:, ::-1] for n in used])
    wanted = np.stack([y.reshape(-1, count)[:, n] for n in used])
    usable = np.isfinite(wanted)
    seen, wanted = windows[usable], wanted[usable]
    if not wanted.size:
        raise ValueError("no output to fit")
    # By the normal equations, which are far smaller and, for random signals, well-conditioned.
    solution = np.linalg.lstsq(seen.T @ seen, seen.T @ wanted, rcond=1e-12)[0]
    return np.asarray(solution), advance


def stored(taps: Array, x: Array, error: float, reach: int) -> Array:
    """How far the output may lie from the truth because each tap is stored with an error, where all of them add up.

    Args:
        taps: the taps, of shape `(taps,)`.
        x: signals, the first axis counting the samples.
        error: of a tap, relative to the largest one.
        reach: the length of the signals: no more taps act on any output.

    Returns:
        Float64 of shape `(samples,)`.
    """
    largest = np.abs(x.astype(np.float64)).reshape(len(x), -1).max(axis=1, initial=0.0)
    return np.asarray(error * np.abs(taps).max(initial=0.0) * min(len(taps), reach) * largest)


def rounding(taps: Array, x: Array, epsilon: float, reach: int) -> Array:
    """The rounding error of a sum of that many products for each sample, where a search looks for large errors.

    At most `2 sqrt(n) u sum |taps x|` with probability 0.7 for any one sum, and usually far less: Higham and Mary, SIAM
    Journal on Scientific Computing 41 (2019), theorem 2.4; u is half a unit in the last place of 1.

    Args:
        taps: the taps, of shape `(taps,)`.
        x: signals, the first axis counting the samples.
        epsilon: one unit in the last place of 1.
        reach: the length of the signals: no more consecutive taps act on any output.

    Returns:
        Float64 of shape `(samples,)`.
    """
    sizes = np.abs(taps)
    if len(sizes) > reach:
        sums = np.cumsum(np.concatenate([[0.0], sizes]))
        first = int(np.argmax(sums[reach:] - sums[:-reach]))
        sizes = sizes[first : first + reach]
    terms = int((sizes > _NEGLIGIBLE * sizes.max(initial=0.0)).sum())
    largest = np.abs(x.astype(np.float64)).reshape(len(x), -1).max(axis=1, initial=0.0)
    return np.asarray(np.sqrt(terms) * epsilon * sizes.sum() * largest)
