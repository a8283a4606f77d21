"""Windows that move over images, as slices: one for each place of a window, row by row."""

from __future__ import annotations

from dataclasses import dataclass

from kexport.factory.graph.protocols import Tensor
from kexport.factory.lowerings import _convolution
from kexport.factory.lowerings._diagonal import sizes


@dataclass(frozen=True)
class ImageWindows:
    """Windows over images of (batch, row, column, channel).

    Attributes:
        taps: how many rows and columns each has.
        steps: how far apart they begin.
        rates: how far apart their places are.
        same: whether they begin at every step of the image, over a border; else only where all of it is image.
    """

    taps: tuple[int, int]
    steps: tuple[int, int]
    rates: tuple[int, int]
    same: bool

    def parts(self, x: Tensor, border: Tensor) -> list[Tensor]:
        """What is at each place of the windows, with this value outside of the image."""
        import tensorflow as tf

        layout = _convolution.Axes(2, first=False)
        reach = [(taps - 1) * rate + 1 for taps, rate in zip(self.taps, self.rates, strict=True)]
        if self.same:
            pads = [(0, 0), *_convolution.same_pads(x, layout, reach, self.steps), (0, 0)]
            x = tf.pad(x, tf.stack([tf.stack(pair) for pair in pads]), constant_values=border)
        counts = [(size - far) // step + 1 for size, far, step in zip(sizes(x)[1:3], reach, self.steps, strict=True)]
        last = [(count - 1) * step + 1 for count, step in zip(counts, self.steps, strict=True)]
        return [
            x[:, top : top + last[0] : self.steps[0], left : left + last[1] : self.steps[1]]
            for top in range(0, self.taps[0] * self.rates[0], self.rates[0])
            for left in range(0, self.taps[1] * self.rates[1], self.rates[1])
        ]
