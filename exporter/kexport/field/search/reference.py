"""The reference that a runtime is compared with: the float64 twin of the model, or another runtime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from kexport.bundle.signature import Array, Signature
from kexport.field.remote import Outputs, RemoteSession
from kexport.field.search.terms import Feeds, Nudge, Terms
from kexport.parity.conditioning import distance, widened
from kexport.parity.scores import row

_NUDGES = 6
#: A sum inside of a model loses some units in the last place, which the inputs cannot: where its result is all but
#: cancelled, as the mean of equal numbers is, only larger nudges show that.
_INNER_ULPS, _INNER_NUDGES = 4, 3
#: And where equal numbers are added, only nudges that leave them equal do: what a smooth function makes of three inputs
#: so near to each other lies on a line, and how far it does not is noise.
_TOGETHER = (16, 64)


@dataclass(frozen=True)
class Conditioning:
    """The reference outputs of some samples, and how far float arithmetic can determine them.

    Each array has the shape of its output.

    Attributes:
        truth: the reference value of each output.
        ulp_sensitivity: how far one unit in the last place moves it (`Golden.ulp_sensitivity`).
        noise: how far float arithmetic is from it when the inputs are nudged.
        keras_output: what Keras itself computes; empty where the reference is another runtime.
        reordered: how far float arithmetic is from it when sums inside are computed in another order; empty likewise.
    """

    truth: Outputs
    ulp_sensitivity: Outputs
    noise: Outputs
    keras_output: Outputs = field(default_factory=dict)
    reordered: Outputs = field(default_factory=dict)

    def sample(self, index: int, batched: bool) -> Conditioning:
        """One sample of a batch, the first axis kept."""
        parts = (self.truth, self.ulp_sensitivity, self.noise, self.keras_output, self.reordered)
        return Conditioning(*(row(part, index, batched) for part in parts))

    def arithmetic_noise(self, output: str, accumulation_factor: float) -> Array:
        """The noise of kernels whose order of summation costs `accumulation_factor` times what the host's does."""
        if self.keras_output:
            noise = np.asarray(accumulation_factor * self.noise[output])
            return np.maximum(noise, self.reordered[output]) if output in self.reordered else noise
        # Between runtimes, the larger of two: nudged inputs, or the rounding of sums inside.
        return np.maximum(accumulation_factor * self.ulp_sensitivity[output], self.noise[output])

    @property
    def second_answers(self) -> Outputs:
        """Keras' own outputs where float32 legitimately differs from the truth (`Golden.keras_output`)."""
        return second_answers(self.truth, self.keras_output)


class Reference(Protocol):
    """What a runtime is compared with on any input."""

    @property
    def name(self) -> str:
        """`"truth"`, or the name of the runtime."""
        ...

    @property
    def session(self) -> RemoteSession | None:
        """The runtime behind it; None where the truth is computed in this process."""
        ...

    @property
    def accumulation_factor(self) -> float:
        """`Runtime.accumulation_factor`; 0 for the truth."""
        ...

    def outputs(self, feeds: Feeds) -> Outputs:
        """The reference outputs.

        Raises:
            ValueError: the model does not take these inputs.
            RuntimeFailedError: the runtime behind it fails.
        """
        ...

    def conditioning(
        self, feeds: Feeds, rng: np.random.Generator, candidate: RemoteSession | None = None
    ) -> Conditioning:
        """The reference outputs, and how far they can be trusted.

        Args:
            feeds: inputs of one call.
            rng: draws the nudges.
            candidate: the runtime that is compared; a reference that is a runtime itself counts its movement too.

        Raises:
            ValueError: the model does not take these inputs.
            RuntimeFailedError: the runtime behind it, or the candidate, fails.
        """
        ...


class PeerReference:
    """Another runtime as the reference (`Reference`).

    Args:
        session: the session of that runtime.
        terms: the terms of the comparison.
        nudge: moves the inputs; by default within their domains.
    """

    def __init__(self, session: RemoteSession, terms: Terms, nudge: Nudge | None = None) -> None:
        self.session = session
        self._terms = terms
        self._nudge = nudge or terms.nudge

    @property
    def name(self) -> str:
        """The name of the runtime."""
        return self.session.runtime.name

    @property
    def accumulation_factor(self) -> float:
        """The accumulation factor of the runtime."""
        return self.session.runtime.accumulation_factor

    def outputs(self, feeds: Feeds) -> Outputs:
        """What the runtime computes.

        Raises:
            RuntimeFailedError: it fails.
        """
        return self.session.run([feeds])[0]

    def conditioning(
        self, feeds: Feeds, rng: np.random.Generator, candidate: RemoteSession | None = None
    ) -> Conditioning:
        """What the runtime computes, and how far it and the candidate move when the inputs do.

        A candidate that returns different outputs for the same inputs does not move because of them: then only the
        movement of the runtime itself counts.

        Raises:
            RuntimeFailedError: one of them fails.
        """
        signature, nudges = self._terms.signature, self._nudges(feeds, rng)
        if candidate is None:
            truth, *others = self.session.run([feeds, *nudges])
            return Conditioning(truth, *_movements(signature, truth, others))
        calls = [feeds, feeds, *nudges]
        candidate.start(calls)
        self.session.start(calls)
        first, again, *moved = candidate.finish()
        truth, _, *others = self.session.finish()
        steady = bool((self._terms.scores(first, again) <= 1).all())
        sensitivity, noise = _movements(signature, truth, others)
        if steady and all(first[name].shape == truth[name].shape for name in truth):
            for ours, theirs in zip((sensitivity, noise), _movements(signature, first, moved), strict=True):
                ours.update({name: np.maximum(ours[name], theirs[name]) for name in ours})
        return Conditioning(truth, sensitivity, noise)

    def _nudges(self, feeds: Feeds, rng: np.random.Generator) -> list[Feeds]:
        ulps = [1] * _NUDGES + [_INNER_ULPS] * _INNER_NUDGES
        return [*(self._nudge(feeds, rng, each) for each in ulps), *self._together(feeds)]

    def _together(self, feeds: Feeds) -> list[Feeds]:
        """Pairs of inputs that lie on a line with these: towards zero, or away from it where a domain ends."""
        pairs: list[Feeds] = []
        for ulps in _TOGETHER:
            for step in (-ulps, ulps):
                near, far = self._nudge.together(feeds, step), self._nudge.together(feeds, 2 * step)
                if near is not None and far is not None:
                    pairs += [near, far]
                    break
        return pairs


def second_answers(truth: Mapping[str, Array], keras_output: Mapping[str, Array]) -> Outputs:
    """Keras' own outputs where float32 legitimately differs from the truth: other whole numbers, NaN or infinity."""
    return {
        name: value
        for name, value in keras_output.items()
        if value.shape == truth[name].shape and not np.array_equal(value, truth[name])
        and (value.dtype.kind not in "fc" or not np.isfinite(value).all())
    }  # fmt: skip


def _movements(signature: Signature, base: Outputs, others: Sequence[Outputs]) -> tuple[Outputs, Outputs]:
    """How far one unit in the last place of the inputs moves each output; and how far larger nudges do."""
    sensitivity, noise = {}, {}
    for spec in signature.outputs:
        values = [each[spec.name] for each in others]
        sensitivity[spec.name] = _movement(spec.is_float, base[spec.name], values[:_NUDGES])
        noise[spec.name] = _movement(spec.is_float, base[spec.name], values[: _NUDGES + _INNER_NUDGES])
        if spec.is_float:
            pairs = values[_NUDGES + _INNER_NUDGES :]
            for near, far in zip(pairs[::2], pairs[1::2], strict=True):
                noise[spec.name] = np.maximum(noise[spec.name], _bend(base[spec.name], near, far))
    return sensitivity, noise


def _bend(base: Array, near: Array, far: Array) -> Array:
    """How far three values are from a line; 0 where one of them is no number."""
    if not base.shape == near.shape == far.shape:
        return np.zeros(base.shape, np.float32)
    return distance(widened(base) + widened(far), 2 * widened(near)).astype(np.float32) / 2


def _movement(is_float: bool, base: Array, others: Sequence[Array]) -> Array:
    largest = np.zeros(base.shape, np.float32)
    for other in others:
        if other.shape != base.shape:
            return np.full(base.shape, np.inf, np.float32)
        if not is_float:
            largest = np.asarray(np.maximum(largest, np.asarray(other != base).astype(np.float32)))
            continue
        largest = np.asarray(np.maximum(largest, distance(other, base.astype(np.float64)).astype(np.float32)))
        largest[np.isfinite(other) != np.isfinite(base)] = np.inf
    return largest
