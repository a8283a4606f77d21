"""What a model would compute if a layer gave what an artifact holds for it: whether that explains the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kexport.bundle.signature import Array
from kexport.factory.localisation.layer_output import LayerOutput, LayerTruth
from kexport.factory.localisation.model_probe import Truths
from kexport.parity.conditioning import distance, widened
from kexport.parity.layer_report import CLEAR

_EXPLAINED = 0.02  # of the error may remain: the artifact computes in float32 what follows
_DRAWS = 3


@dataclass(frozen=True)
class Remainder:
    """How much of an error remains.

    Attributes:
        error: the mean distance from what was observed, as it would be.
        of: the mean distance of the truth from what was observed.
        largest: the largest distance, as it would be.
        allowed: what the largest distance may be by rounding.
    """

    error: float
    of: float
    largest: float
    allowed: float

    @property
    def explained(self) -> bool:
        """Whether nothing but rounding remains."""
        return self.largest <= self.allowed

    @property
    def larger(self) -> bool:
        """Whether the error would be larger than it is."""
        return self.error > self.of


class Counterfactuals:
    """Runs of the model in which one layer gives other results, on one case.

    Args:
        truths: the truths of the model's layers.
        layers: the layers on the case.
        inputs: those of the case.
    """

    def __init__(self, truths: Truths, layers: Sequence[LayerTruth], inputs: Mapping[str, Array]) -> None:
        self._truths, self._inputs = truths, inputs
        self._layers = {layer.name: layer for layer in layers}

    def at(self, layer: str, values: Sequence[Array], seen: LayerTruth, observed: Sequence[Array]) -> Remainder | None:
        """What remains of the error of a later layer's first output if this layer gave this value; None if it fails.

        Args:
            layer: the name of the layer.
            values: what it would give, in each layout that it may be in: the one that explains most counts.
            seen: a layer whose first output was observed; it may be the same.
            observed: what the artifact holds for it, in each layout that it may be in.
        """
        found = []
        for value in values:
            if results := self._run(layer, value, seen):
                left = (_remainder(seen.outputs[0], results[0], each) for each in observed)
                found += [each for each in left if each is not None]
        return min(found, key=lambda each: (not each.explained, each.error), default=None)

    def moved(self, layer: str, seen: LayerTruth) -> Array | None:
        """Which elements of a later layer's first output depend on this layer; None if that cannot be found out."""
        truth = self._layers[layer].outputs[0].truth
        if truth.dtype.kind != "f":
            return None
        rng = np.random.default_rng(0)
        moved: Array = np.zeros(seen.outputs[0].truth.shape, bool)
        for _ in range(_DRAWS):
            value = truth + (np.abs(truth).max(initial=0.0) or 1.0) * rng.normal(size=truth.shape)
            results = self._run(layer, value, seen)
            if not results or results[0].shape != moved.shape:
                return None
            moved = moved | (results[0] != seen.outputs[0].truth)
        return moved

    def _run(self, layer: str, value: Array, seen: LayerTruth) -> list[Array] | None:
        own = self._layers[layer]
        index = own.call.tensors.index(own.outputs[0].tensor)
        return self._truths.intervened(self._inputs, layer, index, value, seen.name)


def _remainder(output: LayerOutput, would_be: Array, observed: Array) -> Remainder | None:
    if would_be.shape != observed.shape or output.truth.shape != observed.shape:
        return None
    if not np.array_equal(np.isfinite(would_be), np.isfinite(observed)):
        return None
    remaining = distance(observed, widened(would_be))
    error = distance(observed, widened(output.truth))
    rounding = CLEAR * output.limit.limit * output.limit.scale if output.spec.is_float else 0.0
    allowed = max(rounding, _EXPLAINED * float(error.max(initial=0.0))) if output.spec.is_float else 0.0
    return Remainder(float(remaining.mean()), float(error.mean()), float(remaining.max(initial=0.0)), allowed)
