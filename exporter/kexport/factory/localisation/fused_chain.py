"""Which layer of a chain that an artifact computes as one is at fault: told by how its result differs from the truth.

Layers are of three kinds, by what they do to the truth: one scale and shift for all, one per channel, or more. What
differs by one scale and shift for all is not a convolution's kernel; what no scales and shifts explain is no batch
normalisation. What differs only where an activation cuts off is the activation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kexport.bundle.signature import Array
from kexport.factory.localisation.layer_output import LayerTruth
from kexport.parity.layer_report import CLEAR

_SCALAR, _BY_CHANNEL, _MORE = 0, 1, 2
_WORDS = ("one scale and shift", "a scale and shift for each channel", "no scales and shifts")
_REMAINING = 0.01  # of the largest difference that a fit may leave
_MOST_LEVELS = 4  # values at which an activation cuts off
_SAMPLES = 6  # for each channel that two numbers are fitted to


@dataclass(frozen=True)
class Blame:
    """The layer at fault, others that may be, and why; `change` is smaller for simpler reasons."""

    layer: str
    others: tuple[str, ...]
    because: str
    change: int = -1


def blamed(before: Array | None, chain: Sequence[LayerTruth], observed: Array) -> Blame | None:
    """The layer of a chain that is at fault; None where that cannot be told.

    Args:
        before: the truth of what goes into the chain.
        chain: the layers, each of which takes the result of the one before it alone.
        observed: what the artifact holds for the last one.
    """
    truths = [layer.outputs[0].truth for layer in chain]
    limit = chain[-1].outputs[0].limit
    tolerance = CLEAR * limit.limit * limit.scale
    if any(truth.dtype.kind != "f" for truth in truths) or observed.shape != truths[-1].shape:
        return None
    if not np.isfinite(observed).all():
        return None
    judged: Array = np.ones(observed.shape, bool)
    rest = list(chain)
    if len(chain) > 1 and truths[-1].shape == truths[-2].shape:
        passing = np.abs(truths[-1] - truths[-2]) <= tolerance
        wrong = np.abs(observed - truths[-1]) > tolerance
        if passing.any() and not passing.all():
            if not (wrong & passing).any():
                return Blame(chain[-1].name, (), "only what it cuts off is wrong")
            rest, judged = rest[:-1], passing & ~_cut_off(observed, truths[-1][~passing], tolerance)
        elif passing.all():
            rest = rest[:-1]
    end = truths[len(rest) - 1]
    if not rest or not (np.abs(observed - end) > tolerance)[judged].any():
        return None  # it differs only where it is cut off
    change = _kind(end, observed, judged, tolerance)
    if change is None:
        return None
    sources = [before, *truths[: len(rest) - 1]]
    kinds = {
        layer.name: _own_kind(source, truth, tolerance)
        for layer, source, truth in zip(rest, sources, truths, strict=False)
    }
    least = min((kind for kind in kinds.values() if kind >= change), default=None)
    if least is None:
        return None
    named = [name for name, kind in kinds.items() if kind == least]
    if chain[-1].name in named:  # its tensor shows the error
        named = [chain[-1].name, *named[:-1]]
    others = [name for name, kind in kinds.items() if kind > least]
    more = (*named[1:], *(others if change < _MORE else ()))
    return Blame(
        named[0], more, f"{_WORDS[change]} {'turn' if change else 'turns'} the right result into this one", change
    )


def _cut_off(observed: Array, levels: Array, tolerance: float) -> Array:
    """Where an activation cut off what is observed, if it does so at few values."""
    values = np.unique(levels)
    cut: Array = np.zeros(observed.shape, bool)
    if len(values) <= _MOST_LEVELS:
        for value in values:
            cut |= np.abs(observed - value) <= tolerance
    return cut


def _own_kind(source: Array | None, truth: Array, tolerance: float) -> int:
    if source is None or source.shape != truth.shape or source.dtype.kind != "f":
        return _MORE
    kind = _kind(source, truth, np.ones(truth.shape, bool), tolerance)
    return _MORE if kind is None else kind


def _kind(right: Array, other: Array, judged: Array, tolerance: float) -> int | None:
    """The simplest change that turns one array into another, where they are judged; None where too little is."""
    if np.count_nonzero(judged) < _SAMPLES:
        return None
    apart = float(np.abs(other - right)[judged].max(initial=0.0))
    allowed = max(tolerance, _REMAINING * apart)
    if _fits(right[judged], other[judged], allowed):
        return _SCALAR
    axes = {right.ndim - 1, 1} if right.ndim > 1 else set()
    decided = False
    for axis in axes:
        channels = [np.moveaxis(each, axis, 0) for each in (right, other, judged)]
        triples = [(a[mask], b[mask]) for a, b, mask in zip(*channels, strict=True)]
        differing = [(a, b) for a, b in triples if np.abs(b - a).max(initial=0.0) > allowed]
        enough = all(len(a) >= _SAMPLES for a, _ in differing)
        decided |= enough
        if enough and all(_fits(a, b, allowed) for a, b in differing):
            return _BY_CHANNEL
    return _MORE if decided else None


def _fits(right: Array, other: Array, allowed: float) -> bool:
    columns = np.stack([right, np.ones_like(right)], axis=-1)
    solution = np.linalg.lstsq(columns, other, rcond=None)[0]
    return bool(np.abs(columns @ solution - other).max(initial=0.0) <= allowed)
