"""What float arithmetic may add to what a contract promises."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from kexport.bundle.limits import OutputLimit
from kexport.bundle.signature import Array


class Slack:
    """How far each output may lie from what is true, absolutely: the limit of parity, from the noise floor.

    Args:
        limits: of the outputs in one runtime, by name.
        epsilon: one unit in the last place of 1, of the coarsest arithmetic in the model.
    """

    def __init__(self, limits: Mapping[str, OutputLimit], epsilon: float) -> None:
        self._limits = limits
        self.epsilon = epsilon

    def relative(self, output: str) -> float:
        """Of an output, relative to its scale."""
        return self._limits[output].peak

    def of(self, output: str, *values: Array) -> Array:
        """Of each sample: what one element may be off, where the output takes these values.

        Args:
            output: its name.
            *values: of the output, the first axis counting the samples; where they are larger than they ever were on
                the goldens, so is the slack.

        Returns:
            Float64 of shape `(samples,)`.
        """
        scale = np.full(len(values[0]), self._limits[output].scale)
        for each in values:
            flat = np.abs(each.reshape(len(each), -1))
            scale = np.maximum(scale, np.where(np.isfinite(flat), flat, 0.0).max(axis=1, initial=0.0))
        return np.asarray(self.relative(output) * scale)
