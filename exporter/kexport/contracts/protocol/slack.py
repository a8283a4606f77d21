"""The error that float arithmetic may add to a contract's bound."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from kexport.bundle.limits import OutputLimit
from kexport.bundle.signature import Array


class Slack:
    """How far each output may lie from its true value, in absolute terms: the limit of parity, from the noise floor.

    Args:
        limits: the limits of the outputs in one runtime, by output name.
        epsilon: one unit in the last place of 1, in the coarsest arithmetic of the model.
        weights: how far a weight may lie from its true value, relative to the largest of its channel.
    """

    def __init__(self, limits: Mapping[str, OutputLimit], epsilon: float, weights: float = 0.0) -> None:
        self._limits = limits
        self.epsilon = epsilon
        self.weights = weights

    def relative(self, output: str) -> float:
        """The slack of an output, relative to its scale."""
        return self._limits[output].peak

    def of(self, output: str, *values: Array) -> Array:
        """For each sample, the possible error of one element where the output takes these values.

        Args:
            output: its name.
            *values: values of the output, the first axis counting the samples; where they exceed the largest value
                seen on the goldens, the slack grows in proportion.

        Returns:
            Float64 of shape `(samples,)`.
        """
        scale = np.full(len(values[0]), self._limits[output].scale)
        for each in values:
            flat = np.abs(each.reshape(len(each), -1))
            scale = np.maximum(scale, np.where(np.isfinite(flat), flat, 0.0).max(axis=1, initial=0.0))
        return np.asarray(self.relative(output) * scale)
