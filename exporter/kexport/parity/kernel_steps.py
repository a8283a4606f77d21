"""The integers of an artifact against those that kernels gave at the build, counted in steps of the output's scale.

Integer kernels round in ways of their own: by one multiplication in float or by two of integers, after a sum or before
it. LiteRT's reference kernels are the same code of integers everywhere, and give the same ones on every processor.
XNNPACK's and ONNX Runtime's are chosen by processor, and may give others elsewhere. How far these can be is a property
of the model, in which one step of a layer may become several of the output. It is measured at the build, as the largest
distance between any two classes of kernels that are there, over all goldens; `LEAST` more is for what no golden met.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np

from kexport.bundle.quantization import AffineQuantization
from kexport.bundle.signature import Array

#: Among the metrics of a check of parity.
STEPS_METRIC = "lsb"
#: Steps beyond what was measured that kernels may be away on another processor: what a rounding of the output may do.
LEAST = 1


def steps_of(values: Array, stored: AffineQuantization) -> Array | None:
    """The integers from which an output was made, in their dtype; None where it holds something else.

    Args:
        values: the output, as real numbers.
        stored: how the integers stand for these.
    """
    bounds = np.iinfo(stored.dtype)
    with np.errstate(invalid="ignore", over="ignore"):
        steps = np.rint(np.asarray(values, np.float64) / np.float64(np.float32(stored.scale))) + stored.zero_point
    if not np.isfinite(steps).all() or (steps.size and not bounds.min <= steps.min() <= steps.max() <= bounds.max):
        return None
    integers: Array = steps.astype(stored.dtype)
    return integers


def apart(one: Array, other: Array) -> Array:
    """How many steps two arrays of integers are apart, element by element; int64."""
    return np.abs(np.subtract(one, other, dtype=np.int64))


def spread(by_kernels: Mapping[str, Array]) -> int:
    """The largest distance between any two classes of kernels, in steps."""
    pairs = combinations(by_kernels.values(), 2)
    return max((int(apart(one, other).max(initial=0)) for one, other in pairs), default=0)
