"""What a convolution of a TFLite file sees of its input for each of its outputs."""

from __future__ import annotations

from typing import Any

import numpy as np

from kexport.bundle.signature import Array

_SAME = 0  # of the schema's `Padding`


def patches(x: Array, kernel: tuple[int, int], options: Any) -> Array:
    """The part of the input under the kernel, zeros outside of it: (batch, height, width, *kernel, channels).

    Args:
        x: (batch, height, width, channels).
        kernel: height and width.
        options: the settings of the operator, of TFLite's schema.
    """
    strides = (options.strideH, options.strideW)
    dilations = (options.dilationHFactor or 1, options.dilationWFactor or 1)
    spans = [(size - 1) * rate + 1 for size, rate in zip(kernel, dilations, strict=True)]
    if options.padding == _SAME:
        sizes = [-(-x.shape[axis + 1] // strides[axis]) for axis in range(2)]
        needed = [max(0, (sizes[a] - 1) * strides[a] + spans[a] - x.shape[a + 1]) for a in range(2)]
        x = np.pad(x, [(0, 0), *((each // 2, each - each // 2) for each in needed), (0, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(x, spans, axis=(1, 2))
    seen = windows[:, :: strides[0], :: strides[1], :, :: dilations[0], :: dilations[1]]
    return np.moveaxis(seen, 3, -1)
