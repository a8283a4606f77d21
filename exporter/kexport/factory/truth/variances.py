"""Variances that a fused kernel computes in one pass, found among the operations that compute them in two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from kexport.bundle.signature import Array

if TYPE_CHECKING:
    import tensorflow as tf


class Variances:
    """What means of squared differences are variances of.

    A fused kernel of a normalisation computes a variance as the mean of squares less the square of the mean, in one
    pass, as onnxruntime's does on a CPU: of numbers that are nearly equal, little is left of it.
    Source: Chan, Golub, LeVeque, The American Statistician 37(3), 1983.
    """

    def __init__(self) -> None:
        self._centred: tuple[tf.Tensor, Array] | None = None
        self._squared: tuple[tf.Tensor, Array] | None = None

    def see(self, name: str, inputs: Sequence[tf.Tensor], outputs: Sequence[tf.Tensor]) -> None:
        """Called after each operation; the last difference and the last square are enough."""
        if name in ("Sub", "SquaredDifference") and outputs[0].shape == inputs[0].shape:
            found = outputs[0], inputs[0].numpy()
            self._centred, self._squared = (found, None) if name == "Sub" else (None, found)
        elif name in ("Square", "Mul") and self._centred and all(each is self._centred[0] for each in inputs):
            self._squared = outputs[0], self._centred[1]

    def in_one_pass(self, averaged: tf.Tensor, axes: Sequence[int], terms: Array) -> list[Array]:
        """The variance of each row, where what is averaged are squared differences from the mean of the row.

        Args:
            averaged: the operand of the mean.
            axes: its axes, those that are summed last.
            terms: its values by row.
        """
        if self._squared is None or averaged is not self._squared[0]:
            return []
        rows = self._squared[1].transpose(axes).reshape(terms.shape)
        unit = np.finfo(rows.dtype).eps * np.abs(rows).max(axis=1, initial=0.0)
        variance = rows.var(axis=1, dtype=np.float64)
        apart = np.abs(variance - terms.mean(axis=1, dtype=np.float64))
        if not (apart <= 1e-3 * variance + (4 * unit) ** 2).all():
            return []
        # What a kernel's own rounding makes of the difference is chance: its two squares are right to half a unit each.
        error = np.finfo(rows.dtype).eps * rows.mean(axis=1, dtype=np.float64) ** 2
        return [(variance + sign * error).astype(rows.dtype) for sign in (-1, 1)]
